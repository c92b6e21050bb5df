/**
 * The sealed form of a private key (§3.2). Checks run in the order of §3.3, so that the same file fails with the
 * same complaint in every implementation.
 */

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  type ScryptOptions,
  scrypt,
  timingSafeEqual
} from 'node:crypto'
import { promisify } from 'node:util'
import type { RandomSource } from '../../types/index.ts'
import { bytesToHex, errorMessage, hexToBytes } from '../../utils/index.ts'
import {
  DERIVED_LENGTH,
  IV_LENGTH,
  MAX_DERIVED_LENGTH,
  MAX_KEY_FILE_LENGTH,
  MAX_SCRYPT_MEMORY,
  MAX_SCRYPT_N,
  MAX_SCRYPT_WORK,
  SALT_LENGTH,
  SCRYPT_N,
  SCRYPT_P,
  SCRYPT_R
} from './constants.ts'
import { KeyStoreError } from './errors.ts'
import { privateKeyFromProtobuf } from './keys.ts'
import type { PrivateKey } from './types.ts'

const scryptAsync = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt)

const VERSION = 3
const CIPHER = 'aes-256-ctr'
const CIPHER_KEY_LENGTH = 32

/** Members of the file that are looked at, before their types are known. */
type Members = Readonly<Partial<Record<MemberName, unknown>>>
type MemberName =
  | 'version'
  | 'crypto'
  | 'cipher'
  | 'kdfparams'
  | 'cipherparams'
  | 'ciphertext'
  | 'mac'
  | 'iv'
  | 'salt'
  | 'n'
  | 'r'
  | 'p'
  | 'dklen'

interface ScryptCosts {
  readonly n: number
  readonly r: number
  readonly p: number
  readonly dklen: number
}

/** Seals a key: JSON text, indented by two spaces. */
export async function sealKey(
  name: string,
  key: PrivateKey,
  passphrase: string,
  random: RandomSource
): Promise<string> {
  requirePassphrase(passphrase)
  const salt = random.bytes(SALT_LENGTH)
  const iv = random.bytes(IV_LENGTH)
  const costs = { n: SCRYPT_N, r: SCRYPT_R, p: SCRYPT_P, dklen: DERIVED_LENGTH }
  const derived = await derive(passphrase, salt, costs)
  const plain = key.toProtobuf()
  const cipher = createCipheriv(CIPHER, derived.subarray(0, CIPHER_KEY_LENGTH), iv)
  const ciphertext = new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final()]))
  const mac = macOf(derived, ciphertext)
  plain.fill(0)
  derived.fill(0)
  const crypto = {
    cipher: CIPHER,
    ciphertext: bytesToHex(ciphertext),
    cipherparams: { iv: bytesToHex(iv) },
    kdf: 'scrypt',
    kdfparams: { ...costs, salt: bytesToHex(salt) },
    mac: bytesToHex(mac)
  }
  return JSON.stringify({ id: name, crypto, version: VERSION }, null, 2)
}

/** Opens what `sealKey` wrote. @throws KeyStoreError */
export async function unsealKey(text: string, passphrase: string): Promise<PrivateKey> {
  requirePassphrase(passphrase)
  const { mac, iv, salt, ciphertext, costs } = readKeyFile(text)
  const derived = await derive(passphrase, salt, costs)
  try {
    const expected = macOf(derived, ciphertext)
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
      throw new KeyStoreError('KEY_PASSPHRASE_WRONG', 'the passphrase does not open the key', {
        hint: 'type it again; DMS_PASSPHRASE, when set, is used instead of asking'
      })
    }
    return decrypt(derived.subarray(0, CIPHER_KEY_LENGTH), iv, ciphertext)
  } finally {
    derived.fill(0)
  }
}

function decrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): PrivateKey {
  if (iv.length !== IV_LENGTH) throw corrupt(`the iv has ${iv.length} bytes; expected ${IV_LENGTH}`)
  const decipher = createDecipheriv(CIPHER, key, iv)
  const decrypted = Buffer.concat([decipher.update(ciphertext), decipher.final()])
  const plain = new Uint8Array(decrypted) // `slice` of a Buffer would not copy
  const opened = attempt(() => privateKeyFromProtobuf(plain))
  decrypted.fill(0)
  plain.fill(0)
  if ('cause' in opened) throw corrupt(errorMessage(opened.cause), opened.cause)
  return opened.value
}

/** The value or what was thrown, so that secrets can be wiped before anything else happens. */
function attempt<T>(work: () => T): { readonly value: T } | { readonly cause: unknown } {
  try {
    return { value: work() }
  } catch (cause) {
    return { cause }
  }
}

function readKeyFile(text: string) {
  const file = record(parseJson(text), 'file')
  if (file.version !== VERSION) throw unsupported(`version ${shown(file.version)}; expected ${VERSION}`)
  const crypto = optionalRecord(file.crypto)
  if (crypto.cipher !== CIPHER) throw unsupported(`cipher ${shown(crypto.cipher)}; expected '${CIPHER}'`)
  const kdf = optionalRecord(crypto.kdfparams)
  const mac = hexField(crypto, 'mac')
  const iv = hexField(optionalRecord(crypto.cipherparams), 'iv')
  const salt = hexField(kdf, 'salt')
  const ciphertext = hexField(crypto, 'ciphertext')
  return { mac, iv, salt, ciphertext, costs: scryptCosts(kdf) }
}

function parseJson(text: string): unknown {
  if (text.length > MAX_KEY_FILE_LENGTH) throw corrupt(`it is longer than ${MAX_KEY_FILE_LENGTH} bytes`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw corrupt('it is not JSON', cause)
  }
}

function scryptCosts(kdf: Members): ScryptCosts {
  const { n, r, p, dklen } = kdf
  if (!isCount(n) || !isCount(r) || !isCount(p) || !isCount(dklen))
    throw unsupported('scrypt costs missing or not whole')
  if (n < 2 || (n & (n - 1)) !== 0 || n > MAX_SCRYPT_N)
    throw unsupported(`scrypt n ${n}; expected a power of two up to ${MAX_SCRYPT_N}`)
  if (128 * n * r > MAX_SCRYPT_MEMORY || n * r * p > MAX_SCRYPT_WORK || r * p > MAX_SCRYPT_WORK / 1024) {
    throw unsupported(`scrypt costs n ${n}, r ${r}, p ${p}, which are more than a key file may ask for`)
  }
  if (dklen < DERIVED_LENGTH || dklen > MAX_DERIVED_LENGTH)
    throw unsupported(`a derived key of ${dklen} bytes; expected ${DERIVED_LENGTH}`)
  return { n, r, p, dklen }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_SCRYPT_N
}

async function derive(passphrase: string, salt: Uint8Array, costs: ScryptCosts): Promise<Uint8Array> {
  const { n, r, p, dklen } = costs
  // What OpenSSL counts against maxmem: 128 · r · (N + p + 2), plus a page for itself.
  const maxmem = 128 * r * (n + p + 2) + 65_536
  try {
    const key = await scryptAsync(passphrase, salt, dklen, { N: n, r, p, maxmem })
    return new Uint8Array(key.buffer, key.byteOffset, key.length)
  } catch (cause) {
    throw unsupported(`scrypt costs that cannot be met: ${errorMessage(cause)}`)
  }
}

/** SHA3-256 over the second half of the derived key and the ciphertext. */
function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const hash = createHash('sha3-256')
  return new Uint8Array(
    hash.update(derived.subarray(CIPHER_KEY_LENGTH, DERIVED_LENGTH)).update(ciphertext).digest()
  )
}

function hexField(object: Members, name: MemberName): Uint8Array {
  const value = object[name] ?? '' // a missing text is an empty one, as in Go
  try {
    if (typeof value === 'string') return hexToBytes(value)
  } catch {
    // reported below
  }
  throw corrupt(`'${name}' is not hexadecimal`)
}

function record(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw corrupt(`the ${what} is not a JSON object`)
  return { ...value }
}

function optionalRecord(value: unknown): Members {
  return value === undefined || value === null ? {} : record(value, 'member')
}

function requirePassphrase(passphrase: string): void {
  if (passphrase !== '') return
  throw new KeyStoreError('KEY_PASSPHRASE_EMPTY', 'the passphrase is empty', {
    hint: 'set DMS_PASSPHRASE or type a passphrase when asked'
  })
}

function corrupt(reason: string, cause?: unknown): KeyStoreError {
  return new KeyStoreError('KEY_FILE_CORRUPT', `the key file is damaged: ${reason}`, {
    hint: 'restore it from a backup; a key that is lost cannot be made again',
    ...(cause === undefined ? {} : { cause })
  })
}

function unsupported(what: string): KeyStoreError {
  return new KeyStoreError('KEY_FILE_UNSUPPORTED', `the key file has ${what}`, {
    hint: 'it was written by another program or changed by hand'
  })
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 40) ?? 'missing'
}
