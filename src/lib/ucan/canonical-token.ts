/**
 * Tokens in exactly the text that is signed. Nearly every token arrives as its writer printed it, and then the text
 * need be neither taken apart by the general reader nor printed anew for the signature: what follows matches the
 * printed form alone (§5.2 member by member, plain characters, canonical base64) and gives up on everything else,
 * which the general reader of `token-json.ts` then judges. So this can never accept more than that one does, nor
 * read another meaning; `test/property/lib` holds the two against each other.
 */

import type { Did } from '../../types/index.ts'
import { isDid } from '../did/index.ts'
import {
  MAX_CHAIN_LENGTH,
  MAX_NAME_LENGTH,
  MAX_NAMES,
  MAX_NONCE_LENGTH,
  MAX_SIGNATURE_LENGTH,
  MAX_UINT64
} from './constants.ts'
import type { Capability, Token } from './types.ts'

/** A text of characters that print as they are. */
const PLAIN = "[ !#-%'-;=?-[\\]-~]*"
const DID = `"uri":"(${PLAIN})"`
const NAMES = `"${PLAIN}"(?:,"${PLAIN}")*`
/** Digits of base64; `isCanonical` looks at the end of them. */
const BASE64 = '[A-Za-z0-9+/]*={0,2}'

const HEAD = new RegExp(
  `\\{"dms":\\{"act":"(${PLAIN})","iss":\\{${DID}\\},"sub":\\{${DID}\\},"aud":\\{(?:${DID})?\\}` +
    `(?:,"topic":\\[(${NAMES})\\])?,"cap":(?:null|\\[((?:${NAMES})?)\\]),"nonce":(?:null|"(${BASE64})")` +
    ',"exp":(0|[1-9][0-9]{0,19})(?:,"depth":([1-9][0-9]{0,19}))?(,"chain":)?',
  'y'
)
const TAIL = new RegExp(`(?:,"sig":"(${BASE64})")?\\}\\}`, 'y')

const WRAPPER_LENGTH = '{"dms":'.length

/** What a text read here is printed as, and what of it is signed. */
interface KnownText {
  readonly text: string
  /** The inner object without its signature (§5.3). */
  readonly signed: string
}

/** Answers with the object it is given, so that a subclass adds its private field to that (ECMA-262 §7.3.29). */
class Existing {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is its one purpose
    return object
  }
}

/**
 * Marks a token with its text, invisibly: a copy with changed fields is unmarked, and nothing but the reader below
 * can mark. A `WeakMap` would do the same at eighty times the cost, a third of reading a token.
 */
class Mark extends Existing {
  readonly #known: KnownText

  constructor(token: Token, known: KnownText) {
    super(token)
    this.#known = known
  }

  static of(token: object): KnownText | undefined {
    return #known in token ? token.#known : undefined
  }
}

/** The text of a token when it was read here. */
export function knownText(token: object): KnownText | undefined {
  return Mark.of(token)
}

/** The token when `text` is exactly what would be printed for it, else `undefined`: not a verdict. */
export function readCanonicalToken(text: string): Token | undefined {
  const read = readAt(text, 0, 0)
  return read?.end === text.length ? read.token : undefined
}

/** The tokens when `text` is exactly the printed list of them, else `undefined`. */
export function readCanonicalList(text: string): Token[] | undefined {
  if (text === '{}') return []
  if (!text.startsWith('{"tok":[')) return undefined
  const tokens: Token[] = []
  let at = '{"tok":'.length
  do {
    const read = readAt(text, at + 1, 0)
    if (read === undefined) return undefined
    tokens.push(read.token)
    at = read.end
  } while (text[at] === ',')
  return text.endsWith(']}') && at + 2 === text.length ? tokens : undefined
}

function readAt(text: string, start: number, position: number): { token: Token; end: number } | undefined {
  HEAD.lastIndex = start
  const head = HEAD.exec(text)
  if (head === null || position >= MAX_CHAIN_LENGTH) return undefined
  const [matched, action = '', iss = '', sub = '', aud, topics, names, nonce, exp = '', depth = '0', link] =
    head
  const end = start + matched.length
  const parent = link === undefined ? undefined : readAt(text, end, position + 1)
  TAIL.lastIndex = parent?.end ?? end
  const tail = TAIL.exec(text)
  if (tail === null || (link !== undefined && parent === undefined)) return undefined
  const [, signature] = tail
  const [issuer, subject, audience] = [ownDid(iss), ownDid(sub), aud === undefined ? aud : ownDid(aud)]
  if (issuer === undefined || subject === undefined || (aud !== undefined && audience === undefined))
    return undefined
  if (!isCanonical(nonce ?? '') || !isCanonical(signature ?? '') || signature === '') return undefined
  const token: Token = {
    action,
    issuer,
    subject,
    audience,
    topics: topics === undefined ? NONE : split(topics),
    capabilities: names === undefined ? null : split(names),
    nonce: nonce === undefined ? null : bytesOf(nonce),
    expiresAtNs: BigInt(exp),
    depth: BigInt(depth),
    chain: parent?.token,
    signature: signature === undefined ? undefined : bytesOf(signature)
  }
  if (!isBounded(token)) return undefined
  const whole = text.slice(start, tail.index + tail[0].length)
  new Mark(token, { text: whole, signed: `${text.slice(start + WRAPPER_LENGTH, tail.index)}}` })
  Object.freeze(token)
  return { token, end: start + whole.length }
}

/** Whether the digits are the only base64 of some bytes: the unused bits of the last one are zero (RFC 4648 §3.5). */
function isCanonical(base64: string): boolean {
  if (base64.length % 4 !== 0) return false
  if (base64.endsWith('==')) return 'AQgw'.includes(base64.charAt(base64.length - 3))
  return !base64.endsWith('=') || 'AEIMQUYcgkosw048'.includes(base64.charAt(base64.length - 2))
}

/** DIDs of tokens, each once. A few organisations are in every chain. */
const dids = new Map<string, Did>()
const MAX_DIDS = 4096

/**
 * The text when it is a DID, as a string of its own: a piece of a text keeps the whole text in memory, and DIDs outlive
 * their messages in the caches of keys.
 */
function ownDid(text: string): Did | undefined {
  const known = dids.get(text)
  if (known !== undefined || !isDid(text)) return known
  const own = Buffer.from(text).toString() as Did // the same text
  if (dids.size >= MAX_DIDS) dids.clear()
  dids.set(own, own)
  return own
}

const NONE: readonly Capability[] = Object.freeze([])

/** `"/a","/b"` → names; none holds a quotation mark. */
function split(names: string): readonly Capability[] {
  return names === '' ? NONE : Object.freeze(names.slice(1, -1).split('","'))
}

function bytesOf(base64: string): Uint8Array {
  const decoded = Buffer.from(base64, 'base64')
  const bytes = new Uint8Array(decoded.length) // a copy made this way costs a fifth of `new Uint8Array(decoded)`
  bytes.set(decoded)
  return bytes
}

/** The bounds of the general reader, which names the one that is passed. */
function isBounded({ topics, capabilities, nonce, expiresAtNs, depth, signature }: Token): boolean {
  return (
    expiresAtNs <= MAX_UINT64 &&
    depth <= MAX_UINT64 &&
    (nonce === null || nonce.length <= MAX_NONCE_LENGTH) &&
    (signature === undefined || signature.length <= MAX_SIGNATURE_LENGTH) &&
    areBounded(topics) &&
    (capabilities === null || areBounded(capabilities))
  )
}

function areBounded(names: readonly Capability[]): boolean {
  return names.length <= MAX_NAMES && names.every(name => name.length <= MAX_NAME_LENGTH)
}
