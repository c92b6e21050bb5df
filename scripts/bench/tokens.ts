/**
 * Verification of token chains against the bare signature checks that it cannot do without. "Bare" is `verify` of
 * `node:crypto` on a key object made beforehand and over the very bytes that the token's issuer signed, nothing else.
 */

import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { base58ToBytes, type PublicKey, publicKeyFromRaw } from '../../src/lib/crypto/index.ts'
import { publicKeyOfDid } from '../../src/lib/did/index.ts'
import {
  chainOf,
  parseToken,
  parseTokenList,
  signingBytes,
  type Token,
  VerifiedChains,
  verifyToken
} from '../../src/lib/ucan/index.ts'
import type { Did } from '../../src/types/index.ts'
import { systemClock as clock } from '../../src/utils/index.ts'
import { makeChain, makeParty, type Party, provide, read } from './chains.ts'
import { formatUs, inSmallTurns, type Row } from './measure.ts'
import { benchUcanto } from './ucanto.ts'

const LENGTH = 4
const BATCH = 16
const ROUNDS = 61
const TARGET = 0.85

/** What a bare check of one link needs. */
interface Link {
  readonly raw: Uint8Array
  readonly key: KeyObject
  readonly data: Uint8Array
  readonly signature: Uint8Array
}

export async function benchTokens(): Promise<Row[]> {
  const receiver = makeParty()
  const parties = Array.from({ length: LENGTH }, makeParty)
  const texts: string[] = []
  for (let index = 0; index < BATCH; index++) texts.push(await makeChain(parties, receiver.did))
  return [
    ...benchChains(texts),
    await benchMessage(receiver),
    ...(await benchUcanto(texts.map(text => read(parseToken(text)))))
  ]
}

function benchChains(texts: readonly string[]): Row[] {
  const links = texts.map(text => chainOf(read(parseToken(text))).map(linkOf))
  const nowNs = clock.nowNs()
  const verified = new VerifiedChains()
  for (const index of texts.keys()) check(verifyToken(parsed(texts, index), { nowNs, verified }).ok)
  const bareChain = (index: number): void => links[index]?.forEach(checkBare)
  const fresh = inSmallTurns(ROUNDS, BATCH, {
    bare: bareChain,
    ours: index => check(verifyToken(parsed(texts, index), { nowNs }).ok)
  })
  const unknown = inSmallTurns(ROUNDS, BATCH, {
    bare: bareChain,
    imported: index => links[index]?.forEach(importAndCheck),
    ours: index => check(verifyToken(parsed(texts, index), { nowNs, keyOf: newKeyOf }).ok)
  })
  const seen = inSmallTurns(ROUNDS, BATCH * 2, {
    bare: index => checkBare(links[index % BATCH]?.[0]),
    ours: index => check(verifyToken(parsed(texts, index % BATCH), { nowNs, verified }).ok)
  })
  const bare = `${LENGTH} bare verifications`
  const imports = `${LENGTH} key imports and verifications`
  const again = 'the same, issuers never seen'
  return [
    rateRow(`read and verify a fresh chain of ${LENGTH} tokens`, bare, fresh.us, fresh.ratio('bare', 'ours')),
    told(
      rateRow(again, imports, { ...unknown.us, bare: unknown.us.imported }, unknown.ratio('imported', 'ours'))
    ),
    told(rateRow(again, bare, unknown.us, unknown.ratio('bare', 'ours'))),
    rateRow(
      'read and verify a chain whose parents were seen',
      '1 bare verification',
      seen.us,
      seen.ratio('bare', 'ours')
    )
  ]
}

/** The key in a DID, read and imported anew each time: what the first chain of an issuer costs. */
function newKeyOf(did: Did): PublicKey {
  return publicKeyFromRaw('Ed25519', base58ToBytes(did.slice('did:key:z'.length)).subarray(2))
}

/**
 * Taking in the tokens of a message (an invocation on a chain of four, whose parents are known, and the self-signed
 * one that every message carries) and deciding about it.
 */
async function benchMessage(receiver: Party): Promise<Row> {
  const parties = Array.from({ length: LENGTH }, makeParty)
  await makeChain(parties, receiver.did)
  const [root] = parties
  const sender = parties.at(-1)
  if (root === undefined || sender === undefined) throw new Error('no parties')
  receiver.context.anchors.addRoot(root.did)
  const capability = '/dms/deployment/request'
  const blobs = await Promise.all(
    Array.from({ length: BATCH }, () => provide(sender, receiver.did, capability))
  )
  const question = {
    origin: sender.did,
    subject: sender.did,
    audience: receiver.did,
    capabilities: [capability]
  }
  const links = blobs.map(blob => read(parseTokenList(Buffer.from(blob).toString())).map(linkOf))
  const { us, ratio } = inSmallTurns(ROUNDS, BATCH, {
    bare: index => links[index]?.forEach(checkBare),
    ours(index) {
      const tokens = read(receiver.context.consume(sender.did, blobs[index] ?? new Uint8Array()))
      check(receiver.context.authorizeInvocation(question, tokens).ok)
      tokens.release()
    }
  })
  const against = `${links[0]?.length} bare verifications (its new tokens)`
  // Without a target: beside the signatures it decides whom the tokens lead to, which the bare side does not.
  const row = rateRow('take in and authorise the tokens of a message', against, us, ratio('bare', 'ours'))
  return { ...row, target: '–', isMet: undefined }
}

function rateRow(what: string, against: string, us: Record<'bare' | 'ours', number>, rate: number): Row {
  return {
    what,
    ours: formatUs(us.ours),
    against: `${against}: ${formatUs(us.bare)}`,
    ratio: `${rate.toFixed(2)} of the rate`,
    target: `≥ ${TARGET}`,
    isMet: rate >= TARGET
  }
}

/** A row without a target: the import of keys, half of it memory for the collector, is not ours to judge by. */
function told(row: Row): Row {
  return { ...row, target: '–', isMet: undefined }
}

function parsed(texts: readonly string[], index: number): Token {
  return read(parseToken(texts[index] ?? ''))
}

function linkOf(token: Token): Link {
  const { raw } = publicKeyOfDid(token.issuer)
  return {
    raw,
    key: importBare(raw),
    data: signingBytes(token),
    signature: token.signature ?? new Uint8Array()
  }
}

function checkBare(link: Link | undefined): void {
  check(link !== undefined && verify(null, link.data, link.key, link.signature))
}

function importAndCheck(link: Link): void {
  check(verify(null, link.data, importBare(link.raw), link.signature))
}

function importBare(raw: Uint8Array): KeyObject {
  const x = Buffer.from(raw).toString('base64url')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
}

/** A benchmark of refusals would be quick and worthless. */
function check(isGood: boolean): void {
  if (!isGood) throw new Error('a good token was refused')
}
