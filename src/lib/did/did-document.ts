/**
 * The key in a W3C DID document as PRISM resolvers send it (§2.7). The document comes from a server, so it is bounded,
 * must be of the very DID that was asked for, and only the kinds of keys that tokens are signed with are taken.
 */

import type { Did } from '../../types/index.ts'
import { bytesToUtf8, concatBytes, errorMessage } from '../../utils/index.ts'
import { type PublicKey, publicKeyFromPoint, publicKeyFromRaw } from '../crypto/index.ts'
import { DidResolutionError } from './errors.ts'

/** Bytes of a document; real ones have below 4 KiB. */
export const MAX_DID_DOCUMENT = 65_536

/** Uses a key may be listed for (DID Core §5.3). */
export type KeyRelationship = 'authentication' | 'assertionMethod' | 'capabilityInvocation'

/** Bytes of an Ed25519 key, and of each coordinate of a point of secp256k1. */
const COORDINATE_LENGTH = 32

type JsonObject = Readonly<Record<string, unknown>>

/**
 * The first usable key listed for the relationship, by reference or embedded; without one the first usable
 * verification method (§2.7). Usable: a `JsonWebKey2020` of Ed25519 or secp256k1. Others, such as X25519, are passed over.
 * @throws DidResolutionError `DID_DOCUMENT_INVALID`, `DID_NO_KEY`
 */
export function publicKeyOfDocument(
  did: Did,
  document: Uint8Array,
  relationship: KeyRelationship = 'authentication'
): PublicKey {
  const root = readDocument(did, document)
  const methods = objectsOf(root['verificationMethod'])
  const preferred = listOf(root[relationship]).flatMap(entry =>
    typeof entry === 'string' ? methods.filter(({ id }) => isReference(did, entry, id)) : objectsOf([entry])
  )
  for (const method of [...preferred, ...methods]) {
    const key = keyOfMethod(method)
    if (key !== undefined) return key
  }
  throw new DidResolutionError('DID_NO_KEY', `the document of '${did}' holds no key that can be used`, {
    hint: 'publish a JsonWebKey2020 of Ed25519 or secp256k1 for authentication'
  })
}

function readDocument(did: Did, document: Uint8Array): JsonObject {
  if (document.length > MAX_DID_DOCUMENT) throw invalid(did, `it is longer than ${MAX_DID_DOCUMENT} bytes`)
  const root = parse(did, document)
  if (!isObject(root)) throw invalid(did, 'it is not a JSON object')
  if (root['id'] !== did) throw invalid(did, `it is about ${JSON.stringify(root['id'])?.slice(0, 200)}`)
  return root
}

function parse(did: Did, document: Uint8Array): unknown {
  try {
    return JSON.parse(bytesToUtf8(document))
  } catch (cause) {
    throw invalid(did, errorMessage(cause), cause)
  }
}

/** A reference names a method by its whole id, or by the fragment alone (DID Core §3.2.2). */
function isReference(did: Did, reference: string, id: unknown): boolean {
  const whole = (text: string): string => (text.startsWith('#') ? did + text : text)
  return typeof id === 'string' && whole(reference) === whole(id)
}

function keyOfMethod({ type, publicKeyJwk }: JsonObject): PublicKey | undefined {
  if (type !== 'JsonWebKey2020' || !isObject(publicKeyJwk)) return undefined
  const { kty, crv } = publicKeyJwk
  try {
    if (kty === 'OKP' && crv === 'Ed25519') return publicKeyFromRaw('Ed25519', coordinate(publicKeyJwk['x']))
    if (kty === 'EC' && crv === 'secp256k1') {
      const point = [Uint8Array.of(4), coordinate(publicKeyJwk['x']), coordinate(publicKeyJwk['y'])]
      return publicKeyFromPoint('Secp256k1', concatBytes(...point))
    }
  } catch {
    // Not a usable key: of small order, not on the curve, not 32 bytes.
  }
  return undefined
}

/** 32 bytes as base64url without padding (RFC 7515 §2), written the one way there is. Anything else is no bytes, which are no key. */
function coordinate(value: unknown): Uint8Array {
  const bytes = Buffer.from(typeof value === 'string' ? value : '', 'base64url')
  const isStrict = bytes.length === COORDINATE_LENGTH && bytes.toString('base64url') === value
  return new Uint8Array(isStrict ? bytes : [])
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function objectsOf(value: unknown): JsonObject[] {
  return listOf(value).filter(isObject)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(did: Did, reason: string, cause?: unknown): DidResolutionError {
  return new DidResolutionError(
    'DID_DOCUMENT_INVALID',
    `what came for '${did}' is not its document: ${reason}`,
    {
      cause,
      hint: 'check the address of the resolver (did.prism_resolver)'
    }
  )
}
