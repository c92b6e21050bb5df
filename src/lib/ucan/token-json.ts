/**
 * Tokens as JSON (identity-and-actors §5.2) and the bytes that are signed (§5.3). A reader parses, and what is
 * verified is the text printed anew from the parsed fields, so white space, member order, unknown members and
 * duplicate members (the last wins) on the wire change nothing: the signature covers the meaning that was read.
 */

import type { Did, Result } from '../../types/index.ts'
import {
  base64ToBytes,
  bytesToBase64,
  errorMessage,
  type GoJsonObject,
  type GoJsonValue,
  goJsonString,
  goMember,
  ok,
  parseGoJson,
  refusal,
  refuse,
  SyntaxFault,
  utf8ToBytes
} from '../../utils/index.ts'
import { isDid } from '../did/index.ts'
import { knownText, readCanonicalList, readCanonicalToken } from './canonical-token.ts'
import {
  MAX_CHAIN_LENGTH,
  MAX_NAME_LENGTH,
  MAX_NAMES,
  MAX_NONCE_LENGTH,
  MAX_SIGNATURE_LENGTH,
  MAX_TEXT_LENGTH,
  MAX_UINT64
} from './constants.ts'
import type { Capability, Token } from './types.ts'

const SIGNING_PREFIX = 'dms:token:'

/** A link nests two objects; the list and the fields of the innermost link a few more. */
export const MAX_JSON_DEPTH = 2 * MAX_CHAIN_LENGTH + 6

// ---- printing

/** JSON of a token with its wrapper, as it is inlined in chains and sent. */
export function formatToken(token: Token): string {
  const known = knownText(token)
  if (known !== undefined) return known.text
  return wrap(innerJson(token, token.chain && formatToken(token.chain), token.signature))
}

/** JSON of a token list on one line; the empty list is `{}`. */
export function formatTokenList(tokens: readonly Token[]): string {
  return listOfTexts(tokens.map(formatToken))
}

/** `formatTokenList` when the texts of the tokens are at hand. */
export function listOfTexts(texts: readonly string[]): string {
  return texts.length === 0 ? '{}' : `{"tok":[${texts.join(',')}]}`
}

/** The bytes a token's issuer signs; `parentText` saves printing the chain again. */
export function signingBytes(
  token: Omit<Token, 'signature'>,
  parentText = token.chain && formatToken(token.chain)
): Uint8Array {
  return utf8ToBytes(SIGNING_PREFIX + (knownText(token)?.signed ?? innerJson(token, parentText, undefined)))
}

/** `formatToken` when the text of the parent is at hand. */
export function formatTokenOn(token: Token, parentText: string | undefined): string {
  return knownText(token)?.text ?? wrap(innerJson(token, parentText, token.signature))
}

function wrap(inner: string): string {
  return `{"dms":${inner}}`
}

/** The inner object: members in their declared order, the empty ones left out where Go leaves them out. */
function innerJson(
  token: Omit<Token, 'signature'>,
  parentText: string | undefined,
  signature: Uint8Array | undefined
): string {
  let text = `{"act":${quote(token.action)},"iss":${formatDid(token.issuer)},"sub":${formatDid(token.subject)},"aud":${formatDid(token.audience)}`
  if (token.topics.length > 0) text += `,"topic":${formatNames(token.topics)}`
  text += `,"cap":${token.capabilities === null ? 'null' : formatNames(token.capabilities)}`
  text += `,"nonce":${token.nonce === null ? 'null' : `"${bytesToBase64(token.nonce)}"`},"exp":${token.expiresAtNs}`
  if (token.depth !== 0n) text += `,"depth":${token.depth}`
  if (parentText !== undefined) text += `,"chain":${parentText}`
  if (signature !== undefined && signature.length > 0) text += `,"sig":"${bytesToBase64(signature)}"`
  return `${text}}`
}

/** A DID object; the absent DID is `{}`. */
export function formatDid(did: Did | '' | undefined): string {
  return did === undefined || did === '' ? '{}' : `{"uri":${quote(did)}}`
}

function formatNames(names: readonly Capability[]): string {
  return `[${names.map(quote).join(',')}]`
}

/** Characters that Go prints as they are; nearly every name and DID consists of these alone. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : goJsonString(text)
}

// ---- reading

/**
 * Reads one token. Refused (`UCAN_MALFORMED`): anything that is not the form of §5.2, names that are not DIDs,
 * numbers beyond 64 bits, base64 in another form, chains beyond `MAX_CHAIN_LENGTH`. Nothing is verified.
 */
export function parseToken(text: string): Result<Token> {
  return reading(() => {
    requireLength(text, MAX_TEXT_LENGTH)
    return readCanonicalToken(text) ?? readToken(parseText(text, MAX_TEXT_LENGTH), 0)
  })
}

/** Reads a token list, `{"tok":[…]}` or `{}`. One malformed token refuses the list. Nothing is verified. */
export function parseTokenList(text: string, maxLength: number = MAX_TEXT_LENGTH): Result<Token[]> {
  return reading(() => {
    requireLength(text, maxLength)
    return readCanonicalList(text) ?? listItems(parseText(text, maxLength)).map(item => readToken(item, 0))
  })
}

/** The items of a token list before they are read. @throws SyntaxFault */
export function listItems(value: GoJsonValue | undefined): GoJsonValue[] {
  if (!(value instanceof Map)) throw new SyntaxFault('a token list is an object with the member "tok"')
  const items = goMember(value, 'tok')
  if (items === undefined && goMember(value, 'dms') !== undefined) {
    throw new SyntaxFault('this is a single token; expected a token list {"tok":[…]}')
  }
  if (items === undefined || items === null) return []
  if (!Array.isArray(items)) throw new SyntaxFault('"tok" must be a list')
  return items
}

/** Runs a reader and turns its `SyntaxFault` into a refusal; other errors are bugs and pass. */
export function reading<T>(read: () => T): Result<T> {
  try {
    return ok(read())
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    return refuse(refusal('UCAN_MALFORMED', `malformed token: ${errorMessage(error)}`))
  }
}

/** Before anything looks at the text. */
function requireLength(text: string, maxLength: number): void {
  if (text.length > maxLength) fail(`it is longer than ${maxLength} characters`)
}

function parseText(text: string, maxLength: number): GoJsonValue {
  return parseGoJson(text, { maxLength, maxDepth: MAX_JSON_DEPTH })
}

/** @throws SyntaxFault */
export function readToken(value: GoJsonValue, position: number): Token {
  if (position >= MAX_CHAIN_LENGTH)
    throw new SyntaxFault(`the chain is longer than ${MAX_CHAIN_LENGTH} tokens`)
  const inner = value instanceof Map ? goMember(value, 'dms') : undefined
  if (!(inner instanceof Map)) throw new SyntaxFault('a token is an object with the member "dms"')
  const chain = goMember(inner, 'chain') ?? undefined
  return Object.freeze({
    action: readText(inner, 'act'),
    issuer: readDid(inner, 'iss') ?? fail('"iss" is missing'),
    subject: readDid(inner, 'sub') ?? fail('"sub" is missing'),
    audience: readDid(inner, 'aud'),
    topics: readNames(inner, 'topic') ?? [],
    capabilities: readNames(inner, 'cap'),
    nonce: readBytes(inner, 'nonce', MAX_NONCE_LENGTH),
    expiresAtNs: readUint64(inner, 'exp'),
    depth: readUint64(inner, 'depth'),
    chain: chain === undefined ? undefined : readToken(chain, position + 1),
    signature: emptyToUndefined(readBytes(inner, 'sig', MAX_SIGNATURE_LENGTH))
  })
}

function fail(reason: string): never {
  throw new SyntaxFault(reason)
}

function readText(object: GoJsonObject, name: string): string {
  const value = goMember(object, name) ?? ''
  return typeof value === 'string' ? value : fail(`"${name}" must be a text`)
}

/** A DID object. `{}`, `null` and an empty `uri` are the absent DID. */
export function readDid(object: GoJsonObject, name: string): Did | undefined {
  const value = goMember(object, name) ?? undefined
  return value === undefined ? undefined : readDidValue(value, name)
}

export function readDidValue(value: GoJsonValue, name: string): Did | undefined {
  if (!(value instanceof Map)) return fail(`"${name}" must be an object with the member "uri"`)
  const uri = readText(value, 'uri')
  if (uri === '') return undefined
  return isDid(uri) ? uri : fail(`"${name}" is not a DID`)
}

function readNames(object: GoJsonObject, name: string): readonly Capability[] | null {
  const value = goMember(object, name) ?? null
  if (value === null) return null
  if (!Array.isArray(value) || value.length > MAX_NAMES)
    return fail(`"${name}" must be a list of at most ${MAX_NAMES} names`)
  return Object.freeze(
    value.map(item =>
      typeof item === 'string' && item.length <= MAX_NAME_LENGTH
        ? item
        : fail(`"${name}" must hold texts of at most ${MAX_NAME_LENGTH} characters`)
    )
  )
}

function readBytes(object: GoJsonObject, name: string, maxLength: number): Uint8Array | null {
  const value = goMember(object, name) ?? null
  if (value === null) return null
  if (typeof value === 'string' && value.length <= maxLength * 2) {
    const bytes = base64ToBytes(value)
    if (bytes.length <= maxLength) return bytes
  }
  return fail(`"${name}" must be at most ${maxLength} bytes in base64`)
}

function readUint64(object: GoJsonObject, name: string): bigint {
  const value = goMember(object, name) ?? 0n
  return typeof value === 'bigint' && value >= 0n && value <= MAX_UINT64
    ? value
    : fail(`"${name}" must be a whole number of 64 bits`)
}

function emptyToUndefined(bytes: Uint8Array | null): Uint8Array | undefined {
  return bytes === null || bytes.length === 0 ? undefined : bytes
}
