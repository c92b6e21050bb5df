/** Identities and hand-made tokens for the tests of `lib`. Keys come from seeds, so failures repeat. */

import { generateKey, type PrivateKey } from '../../../src/lib/crypto/index.ts'
import { didOf, keySigner } from '../../../src/lib/did/index.ts'
import {
  type CapabilityFile,
  createCapabilityContext,
  parseTokenList,
  signingBytes,
  type Token
} from '../../../src/lib/ucan/index.ts'
import type { Clock, Did } from '../../../src/types/index.ts'
import { SeededRandom, VirtualClock } from '../../../src/utils/index.ts'

export interface Identity {
  readonly key: PrivateKey
  readonly did: Did
}

export function identity(name: string): Identity {
  const key = generateKey(new SeededRandom(name))
  return { key, did: didOf(key.publicKey) }
}

export const NOW_NS = new VirtualClock().nowNs()
export const SECOND_NS = 1_000_000_000n
export const HOUR_NS = 3600n * SECOND_NS

let nonce = 0

/** A signed token from the fields that matter to a test; the rest is harmless. */
export function token(issuer: Identity, fields: Partial<Token> & Pick<Token, 'subject'>): Token {
  const unsigned = {
    action: 'delegate',
    audience: undefined,
    topics: [],
    capabilities: ['/a'],
    nonce: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, nonce >> 8, nonce++ & 0xff),
    expiresAtNs: NOW_NS + HOUR_NS,
    depth: 0n,
    chain: undefined,
    ...fields,
    issuer: fields.issuer ?? issuer.did
  }
  return { ...unsigned, signature: fields.signature ?? issuer.key.sign(signingBytes(unsigned)) }
}

/** An identity with a capability context of its own. */
export function party(name: string, clock: Pick<Clock, 'nowNs'> = new VirtualClock(), file?: CapabilityFile) {
  const self = identity(name)
  const random = new SeededRandom(`${name} nonces`)
  const loaded = createCapabilityContext(
    { clock, random, owner: self.did, signer: keySigner(self.key) },
    file
  )
  return { ...self, ...loaded }
}

export function blobTokens(blob: Uint8Array): Token[] {
  const parsed = parseTokenList(Buffer.from(blob).toString('utf8'))
  if (!parsed.ok) throw new Error(parsed.error.message)
  return parsed.value
}

/** The code of a refusal, or `ok`. */
export function verdict(result: { ok: true } | { ok: false; error: { code: string } }): string {
  return result.ok ? 'ok' : result.error.code
}
