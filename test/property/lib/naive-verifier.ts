/**
 * The rules of the seed's list "the token chain is verified with strict rules", written down a second time from
 * that text alone: slow, plain, and sharing nothing with `src/lib/ucan` but the shape of a token. Even the signed
 * text is built anew, and names are compared by their segments.
 */

import { createPublicKey, verify } from 'node:crypto'
import type { Token } from '../../../src/lib/ucan/index.ts'

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Whether the chain is valid. `position` is how many tokens build on this one. */
export function naiveVerify(token: Token, nowNs: bigint, position = 0): boolean {
  if (position === 0 && ancestors(token).some(link => link.expiresAtNs < nowNs)) return false
  if (names(token).some(name => name === '')) return false
  if (token.depth !== 0n && BigInt(position) > token.depth) return false
  return (
    follows(token, token.chain) &&
    signed(token) &&
    (!token.chain || naiveVerify(token.chain, nowNs, position + 1))
  )
}

function follows(token: Token, parent: Token | undefined): boolean {
  if (parent === undefined) return true
  const narrows = (child: readonly string[] | null, held: readonly string[] | null): boolean =>
    (child ?? []).every(name => (held ?? []).some(wide => isSubpath(wide, name)))
  return (
    parent.action === 'delegate' &&
    ancestors(parent).every(link => link.expiresAtNs >= token.expiresAtNs) &&
    parent.subject === token.issuer &&
    narrows(token.capabilities, parent.capabilities) &&
    narrows(token.topics, parent.topics) &&
    (parent.audience === undefined || parent.audience === token.audience)
  )
}

/** "Narrower if it is a subpath in the UNIX sense"; the root has all. */
function isSubpath(wide: string, narrow: string): boolean {
  if (wide === '/') return true
  const [outer, inner] = [wide.split('/'), narrow.split('/')]
  return outer.every((segment, index) => segment === inner[index])
}

function ancestors(token: Token): Token[] {
  return token.chain === undefined ? [token] : [token, ...ancestors(token.chain)]
}

function names(token: Token): string[] {
  return [...token.topics, ...(token.capabilities ?? [])]
}

function signed(token: Token): boolean {
  const encoded = token.issuer.split(':z')[1] ?? ''
  let number = 0n
  for (const digit of encoded) number = number * 58n + BigInt(BASE58.indexOf(digit))
  const hex = number.toString(16)
  if (!hex.startsWith('ed01') || token.signature === undefined) return false
  const x = Buffer.from(hex.slice(4), 'hex').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verify(null, Buffer.from(`dms:token:${JSON.stringify(body(token, false))}`), key, token.signature)
}

/**
 * The JSON that is signed. Numbers go through `JSON.rawJSON`, which keeps them exact; the characters that Go escapes
 * and JavaScript does not are not generated for this verifier.
 */
function body(token: Token, withSignature: boolean): object {
  const did = (uri: string | undefined): object => (uri === undefined ? {} : { uri })
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  return {
    act: token.action,
    iss: did(token.issuer),
    sub: did(token.subject),
    aud: did(token.audience),
    ...(token.topics.length > 0 ? { topic: token.topics } : {}),
    cap: token.capabilities,
    nonce: token.nonce === null ? null : base64(token.nonce),
    exp: rawNumber(token.expiresAtNs),
    ...(token.depth > 0n ? { depth: rawNumber(token.depth) } : {}),
    ...(token.chain ? { chain: { dms: body(token.chain, true) } } : {}),
    ...(withSignature && token.signature?.length ? { sig: base64(token.signature) } : {})
  }
}

function rawNumber(value: bigint): unknown {
  const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown } // newer than the library types
  return rawJSON(String(value))
}
