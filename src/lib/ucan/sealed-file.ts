/**
 * Sealed capability files: the plain file (`capability-file.ts`) encrypted for the owner of the context. The key of the
 * cipher is derived from a signature of the owner's key over a random salt, so whoever can open that key, by passphrase
 * or through the key agent, can open the file: there is no second secret, and a new passphrase needs no resealing.
 *
 * One line of JSON in exactly this form, so that a file has one spelling:
 *
 * ```
 * {"sealed":1,"owner":"did:key:…","salt":"<64 hex>","nonce":"<24 hex>","box":"<base64>"}
 * ```
 *
 * | part | value |
 * | --- | --- |
 * | signed text | `dms:cap-file:` and the salt as hexadecimal digits; no token or message begins that way |
 * | key | HKDF-SHA256 (RFC 5869) of the signature, with the salt, for `dms:cap-file:1`, 32 bytes |
 * | box | AES-256-GCM (NIST SP 800-38D) of the plain file, its tag of 16 bytes behind it |
 * | authenticated | `dms:cap-file:1:` and the owner |
 *
 * Salt and nonce are new at each writing. The member `did` of a plain file is missing on purpose: an existing client
 * then refuses the file instead of taking it for an empty context and writing over it.
 */

import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Did, RandomSource } from '../../types/index.ts'
import {
  base64ToBytes,
  bytesEqual,
  bytesToBase64,
  bytesToHex,
  bytesToUtf8,
  concatBytes,
  hexToBytes,
  SyntaxFault,
  utf8ToBytes
} from '../../utils/index.ts'
import { didMethod, isDid, publicKeyOfDid, type Signer } from '../did/index.ts'
import { MAX_FILE_LENGTH } from './constants.ts'
import { shortDid } from './describe.ts'
import { CapabilityError } from './errors.ts'

const SIGNING_PREFIX = 'dms:cap-file:'
const PURPOSE = 'dms:cap-file:1'
const CIPHER = 'aes-256-gcm'
const KEY_LENGTH = 32
const SALT_LENGTH = 32
/** Bytes; NIST SP 800-38D §8.2.1. The key is new at each writing, so a nonce never meets it twice. */
const NONCE_LENGTH = 12
const TAG_LENGTH = 16

/** First bytes of every sealed file, and of no plain one. */
const MARK = utf8ToBytes('{"sealed":')
const HEADER =
  /^\{"sealed":1,"owner":"(did:[^"\\]{1,508})","salt":"([0-9a-f]{64})","nonce":"([0-9a-f]{24})","box":"/
const END = '"}\n'
const OTHER_VERSION = /^\{"sealed":(?!1,)\d{1,9},/

/** Bytes of a sealed file; a plain one has at most 4 bytes a character, base64 adds a third. */
const MAX_SEALED_LENGTH = Math.ceil((MAX_FILE_LENGTH * 4 * 4) / 3) + 1024

/** Whether the content of a capability file is sealed; a damaged one counts by its beginning. */
export function isSealed(content: Uint8Array): boolean {
  return bytesEqual(content.subarray(0, MARK.length), MARK)
}

/** Whose file it is; readable without the key. @throws CapabilityError */
export function sealedOwner(content: Uint8Array): Did {
  return readEnvelope(content).owner
}

/**
 * Encrypts the content of a plain file for the signer's DID.
 * @throws CapabilityError UCAN_SEAL_UNSUPPORTED when the signer cannot open what it sealed: wallets, and keys whose
 * signatures differ each time.
 */
export async function sealContent(
  plain: Uint8Array,
  signer: Signer,
  random: Pick<RandomSource, 'bytes'>
): Promise<Uint8Array> {
  requireSealingKey(signer)
  const [salt, nonce] = [random.bytes(SALT_LENGTH), random.bytes(NONCE_LENGTH)]
  const cipher = createCipheriv(CIPHER, await deriveKey(signer, salt), nonce)
  cipher.setAAD(authenticated(signer.did))
  const box = concatBytes(cipher.update(plain), cipher.final(), cipher.getAuthTag())
  const sealed = utf8ToBytes(formatEnvelope({ owner: signer.did, salt, nonce, box }))
  await requireReadable(sealed, signer)
  return sealed
}

/**
 * The content of the plain file. The whole is authenticated before any of it is given back.
 * @throws CapabilityError UCAN_FILE_CORRUPT, UCAN_FILE_UNSUPPORTED, UCAN_WRONG_OWNER
 */
export async function openContent(content: Uint8Array, signer: Signer): Promise<Uint8Array> {
  const { owner, salt, nonce, box } = readEnvelope(content)
  if (owner !== signer.did) {
    throw new CapabilityError(
      'UCAN_WRONG_OWNER',
      `the sealed capability file belongs to ${shortDid(owner)}, the key to ${shortDid(signer.did)}`,
      { hint: 'use the key the context was made with', details: { owner, signer: signer.did } }
    )
  }
  const decipher = createDecipheriv(CIPHER, await deriveKey(signer, salt), nonce, {
    authTagLength: TAG_LENGTH
  })
  decipher.setAAD(authenticated(owner))
  decipher.setAuthTag(box.subarray(-TAG_LENGTH))
  const plain = decipher.update(box.subarray(0, -TAG_LENGTH))
  try {
    return new Uint8Array(concatBytes(plain, decipher.final()))
  } catch (cause) {
    throw damaged('it was changed since it was sealed, or by another key', cause)
  }
}

interface Envelope {
  readonly owner: Did
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
  readonly box: Uint8Array
}

function formatEnvelope({ owner, salt, nonce, box }: Envelope): string {
  return `{"sealed":1,"owner":"${owner}","salt":"${bytesToHex(salt)}","nonce":"${bytesToHex(nonce)}","box":"${bytesToBase64(box)}${END}`
}

function readEnvelope(content: Uint8Array): Envelope {
  if (content.length > MAX_SEALED_LENGTH) throw damaged(`it is longer than ${MAX_SEALED_LENGTH} bytes`)
  try {
    const text = bytesToUtf8(content)
    if (OTHER_VERSION.test(text)) throw unsupported()
    const [header = '', owner, salt = '', nonce = ''] = HEADER.exec(text) ?? []
    if (!isDid(owner) || !text.endsWith(END)) throw new SyntaxFault('its form is not that of a sealed file')
    const box = base64ToBytes(text.slice(header.length, -END.length))
    if (box.length < TAG_LENGTH) throw new SyntaxFault('it is cut short')
    return { owner, salt: hexToBytes(salt), nonce: hexToBytes(nonce), box }
  } catch (cause) {
    if (cause instanceof SyntaxFault) throw damaged(cause.message, cause)
    throw cause
  }
}

/** The signature is the secret: it is made for this file alone and never leaves this function. */
async function deriveKey(signer: Signer, salt: Uint8Array): Promise<Uint8Array> {
  const signature = await signer.sign(utf8ToBytes(SIGNING_PREFIX + bytesToHex(salt)))
  return new Uint8Array(hkdfSync('sha256', signature, salt, PURPOSE, KEY_LENGTH))
}

function authenticated(owner: Did): Uint8Array {
  return utf8ToBytes(`${PURPOSE}:${owner}`)
}

/** A wallet would ask its owner to press a button each time the file is looked at. */
function requireSealingKey({ did }: Signer): void {
  if (didMethod(did) !== 'key' || publicKeyOfDid(did).type === 'Ed25519') return
  throw unsealable(`${shortDid(did)} is not an Ed25519 key`)
}

/** A file that its owner cannot open again must never replace one that can be read. */
async function requireReadable(sealed: Uint8Array, signer: Signer): Promise<void> {
  try {
    await openContent(sealed, signer)
  } catch (cause) {
    throw unsealable(`the signatures of ${shortDid(signer.did)} differ each time`, cause)
  }
}

function unsealable(reason: string, cause?: unknown): CapabilityError {
  return new CapabilityError('UCAN_SEAL_UNSUPPORTED', `the context cannot be sealed: ${reason}`, {
    cause,
    hint: "leave out '--encrypt', or use a context whose key was made with 'nunet key new'"
  })
}

function damaged(reason: string, cause?: unknown): CapabilityError {
  return new CapabilityError('UCAN_FILE_CORRUPT', `the sealed capability file is damaged: ${reason}`, {
    cause,
    hint: "restore one of its backups '<context>.cap.<time>' from the same directory"
  })
}

function unsupported(): CapabilityError {
  return new CapabilityError(
    'UCAN_FILE_UNSUPPORTED',
    'the capability file was sealed by a later version of this program',
    { hint: 'use that version' }
  )
}
