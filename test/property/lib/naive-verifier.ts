/**
 * The rules of the seed's list "the token chain is verified with strict rules", written down a second time from
 * that text alone: slow, plain, and sharing nothing with `src/lib/ucan` but the shape of a token. Even the signed
 * text is built anew, and names are compared by their segments.
 */

import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
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
export function isSubpath(wide: string, narrow: string): boolean {
  if (wide === '/') return true
  const [outer, inner] = [wide.split('/'), narrow.split('/')]
  return outer.every((segment, index) => segment === inner[index])
}

/** The token and what it builds on, leaf first. */
export function ancestors(token: Token): Token[] {
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
  const [, codec = '', key = ''] = /^(ed01|e701|81de03|82de03)(.*)$/.exec(hex) ?? []
  const data = Buffer.from(`dms:token:${print(body(token, false))}`)
  return token.signature !== undefined && isSignedBy(codec, Buffer.from(key, 'hex'), data, token.signature)
}

/** The four kinds of keys, with what each of them signs. */
function isSignedBy(codec: string, key: Buffer, data: Buffer, signature: Uint8Array): boolean {
  const derKey = (prefix: string): KeyObject =>
    createPublicKey({ key: Buffer.concat([Buffer.from(prefix, 'hex'), key]), format: 'der', type: 'spki' })
  const ed25519 = '302a300506032b6570032100'
  if (codec === 'ed01') return verify(null, data, derKey(ed25519), signature)
  if (codec === 'e701') {
    return verify('sha256', data, derKey('3036301006072a8648ce3d020106052b8104000a032200'), signature)
  }
  if (codec === '82de03') {
    const head = Buffer.from('846a5369676e61747572653143a1012740', 'hex')
    const size = [data.length >> 8, data.length & 255]
    const length = Buffer.from(data.length < 256 ? [0x58, ...size.slice(1)] : [0x59, ...size])
    return verify(null, Buffer.concat([head, length, data]), derKey(ed25519), signature.slice(-64))
  }
  if (signature.length < 68) return false
  const personal = Buffer.from(`\x19Ethereum Signed Message:\n${data.length}${data.toString()}`)
  return secp256k1.verify(signature, keccak_256(personal), key, {
    prehash: false,
    lowS: false,
    format: 'der'
  })
}

/** As Go prints: what JavaScript leaves as it is, escaped. None of these characters can stand outside of a text. */
function print(value: object): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

/** The JSON that is signed. Numbers go through `JSON.rawJSON`, which keeps them exact. */
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
