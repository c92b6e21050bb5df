/**
 * A chain of the same length in the validator of ucanto: three delegations and an invocation, four signatures. Both
 * sides get their chain decoded beforehand (ucanto from an archive, anew for each check, because it remembers encoded
 * bytes), so only validation is timed, and both know nothing of earlier chains. Its signatures are checked in
 * JavaScript, ours by OpenSSL; the second row takes the bare signature checks off both sides, so that the rules and
 * the encoding can be compared by themselves.
 */

import { Delegation } from '@ucanto/core'
import { ed25519, Verifier } from '@ucanto/principal'
import { access, capability, DID } from '@ucanto/validator'
import type { PublicKey } from '../../src/lib/crypto/index.ts'
import { type Token, verifyToken } from '../../src/lib/ucan/index.ts'
import { systemClock as clock } from '../../src/utils/index.ts'
import { formatUs, median, type Row } from './measure.ts'

const TARGET = 5
const ROUNDS = 15
const BATCH = 8
const YEAR_2100_S = 4_102_444_800

const deploy = capability({ can: 'dms/deployment', with: DID })

/** What `deploy` invokes. */
type Invocation = Awaited<ReturnType<ReturnType<typeof deploy.invoke>['delegate']>>

export async function benchUcanto(chains: readonly Token[]): Promise<Row[]> {
  const theirs = await ucantoChain(4)
  const nowNs = clock.nowNs()
  const batch = chains.slice(0, BATCH)
  const rounds: Record<'ours' | 'oursUnsigned' | 'theirs' | 'signatures', number>[] = []
  for (let round = -1; round < ROUNDS; round++) {
    const decoded = await Promise.all(Array.from({ length: BATCH }, theirs.decode))
    const timed = {
      theirs: await usOf(async () => {
        for (const invocation of decoded) await theirs.validate(invocation)
      }),
      ours: await usOf(async () => {
        for (const chain of batch) check(verifyToken(chain, { nowNs }).ok)
      }),
      oursUnsigned: await usOf(async () => {
        for (const chain of batch) check(verifyToken(chain, { nowNs, keyOf: () => TRUSTING }).ok)
      }),
      signatures: await usOf(async () => {
        for (let index = 0; index < BATCH; index++) await theirs.checkSignatures()
      })
    }
    if (round >= 0) rounds.push(timed)
  }
  const us = (pick: (round: (typeof rounds)[number]) => number): number => median(rounds.map(pick))
  const ratio = us(round => round.theirs / round.ours)
  const [ourRules, theirRules] = [
    us(round => round.oursUnsigned),
    us(round => round.theirs - round.signatures)
  ]
  return [
    {
      what: 'validate a decoded chain of 4, nothing known',
      ours: formatUs(us(round => round.ours)),
      against: `ucanto's validator: ${formatUs(us(round => round.theirs))}`,
      ratio: `${ratio.toFixed(1)} × faster`,
      target: `≥ ${TARGET} ×`,
      isMet: ratio >= TARGET
    },
    {
      what: 'the same without the signature checks themselves',
      ours: formatUs(ourRules),
      against: `ucanto's: ${formatUs(theirRules)}; its 4 signatures: ${formatUs(us(round => round.signatures))}`,
      ratio: `${(theirRules / ourRules).toFixed(1)} × faster`,
      target: '–',
      isMet: undefined
    }
  ]
}

/** Says yes at once, so that the rest of our verification can be timed by itself. */
const TRUSTING: PublicKey = { type: 'Ed25519', raw: new Uint8Array(32), verify: () => true }

function check(isGood: boolean): void {
  if (!isGood) throw new Error('a good chain or signature was refused')
}

async function usOf(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return ((performance.now() - started) * 1000) / BATCH
}

async function ucantoChain(length: number) {
  const service = await ed25519.generate()
  const [root, ...others] = await Promise.all(Array.from({ length }, () => ed25519.generate()))
  if (root === undefined) throw new Error('a chain has a root')
  let holder = root
  let proofs: Awaited<ReturnType<typeof deploy.delegate>>[] = []
  for (const next of others) {
    const request = {
      issuer: holder,
      audience: next,
      with: root.did(),

      proofs,
      expiration: YEAR_2100_S
    }
    proofs = [await deploy.delegate(request)]
    holder = next
  }
  const request = {
    issuer: holder,
    audience: service,
    with: root.did(),

    proofs,
    expiration: YEAR_2100_S
  }
  const archive = await (await deploy.invoke(request).delegate()).archive()
  if (archive.error !== undefined) throw archive.error
  const payload = new Uint8Array(400).fill(7) // about what ucanto signs for a token with one proof
  const signature = await root.sign(payload)
  return {
    async decode() {
      const read = await Delegation.extract(archive.ok)
      if (read.error !== undefined) throw read.error
      return read.ok as Invocation // what was archived above
    },
    async validate(invocation: Invocation) {
      const verdict = await access(invocation, {
        authority: service,
        capability: deploy,
        principal: Verifier,
        validateAuthorization: () => ({ ok: {} })
      })
      if (verdict.error !== undefined) throw verdict.error
    },
    async checkSignatures() {
      for (let link = 0; link < length; link++) {
        check(await root.verifier.verify(payload, signature))
      }
    }
  }
}
