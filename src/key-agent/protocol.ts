/**
 * The words between a command and the agent: one JSON object a line, a question and its answer in turn. Read by hand
 * and strictly: a member that is not known, missing or of another form makes the whole line wrong. No operation takes
 * or gives a key; a passphrase goes one way, in `unlock`.
 */

import { KeyStoreError, type KeyStoreErrorCode } from '../lib/crypto/index.ts'
import { isDid } from '../lib/did/index.ts'
import type { Did } from '../types/index.ts'
import { base64ToBytes, bytesToBase64, errorMessage, NuError } from '../utils/index.ts'
import { MAX_KEYS, MAX_NAME_LENGTH, MAX_PASSPHRASE_LENGTH } from './constants.ts'
import { KeyAgentError, type KeyAgentErrorCode } from './errors.ts'
import type { HeldKeyStatus, KeyAgentStatus } from './types.ts'

/** What a command may ask. */
export type AgentRequest =
  /** Which keys are held, and until when. */
  | { readonly op: 'status' }
  /** The DID of a key that is held. */
  | { readonly op: 'find'; readonly name: string }
  /** A signature by a key that is held. */
  | { readonly op: 'sign'; readonly name: string; readonly did: Did; readonly data: Uint8Array }
  /** Opens a key and holds it. */
  | {
      readonly op: 'unlock'
      readonly name: string
      readonly passphrase: string
      readonly lifetimeMs?: number | undefined
    }
  /** Drops keys; without names all of them. */
  | { readonly op: 'lock'; readonly names?: readonly string[] | undefined }
  /** Drops all keys and ends. */
  | { readonly op: 'stop' }

/** What the agent answers, by what was asked. */
export interface AgentAnswers {
  readonly status: KeyAgentStatus
  readonly find: { readonly did: Did }
  readonly sign: { readonly signature: Uint8Array }
  readonly unlock: HeldKeyStatus
  readonly lock: { readonly names: readonly string[] }
  readonly stop: Record<never, never>
}

type Members = Readonly<Record<string, unknown>>

// ---- questions

/** The line of a question, without its end. */
export function formatRequest(request: AgentRequest): string {
  return JSON.stringify(request.op === 'sign' ? { ...request, data: bytesToBase64(request.data) } : request)
}

/** Reads a question. @throws KeyAgentError `KEY_AGENT_REFUSED` */
export function parseRequest(line: string): AgentRequest {
  const members = readObject(line)
  const read = members === undefined ? undefined : readRequest(members)
  if (read === undefined) throw new KeyAgentError('KEY_AGENT_REFUSED', 'the agent does not know this request')
  return read
}

function readRequest(members: Members): AgentRequest | undefined {
  const { op, name, names, did, data, passphrase, lifetimeMs } = members
  switch (op) {
    case 'status':
    case 'stop':
      return only(members, 'op') ? { op } : undefined
    case 'find':
      return only(members, 'op', 'name') && isName(name) ? { op, name } : undefined
    case 'sign': {
      const bytes = readBytes(data)
      const isComplete = only(members, 'op', 'name', 'did', 'data') && isName(name) && isDid(did)
      return isComplete && bytes !== undefined ? { op, name, did, data: bytes } : undefined
    }
    case 'unlock':
      return only(members, 'op', 'name', 'passphrase', 'lifetimeMs') &&
        isName(name) &&
        isPassphrase(passphrase) &&
        (lifetimeMs === undefined || isTime(lifetimeMs))
        ? { op, name, passphrase, lifetimeMs }
        : undefined
    case 'lock':
      return only(members, 'op', 'names') && (names === undefined || isNames(names))
        ? { op, names }
        : undefined
    default:
      return undefined
  }
}

// ---- answers

/** The line of an answer, without its end. */
export function formatAnswer<Op extends keyof AgentAnswers>(op: Op, answer: AgentAnswers[Op]): string {
  const plain =
    op === 'sign' && 'signature' in answer ? { signature: bytesToBase64(answer.signature) } : answer
  return JSON.stringify({ ok: plain })
}

/** The line of a refusal: the code of the error, its message and its hint. Of anything unforeseen only that it was. */
export function formatFailure(error: unknown): string {
  const known = error instanceof KeyAgentError || error instanceof KeyStoreError
  const failure = known
    ? { code: error.code, message: error.message, hint: error.hint }
    : { code: 'KEY_AGENT_FAILED', message: `the agent failed: ${unforeseen(error)}` }
  return JSON.stringify({ error: failure })
}

/** Names of files come in the messages of our own errors; those of the runtime may hold what was being worked on. */
function unforeseen(error: unknown): string {
  return error instanceof NuError ? errorMessage(error) : 'a fault of the program'
}

/** Reads the answer to a question. @throws KeyAgentError, KeyStoreError what the agent said no with, or `KEY_AGENT_FAILED` */
export function parseAnswer<Op extends keyof AgentAnswers>(op: Op, line: string): AgentAnswers[Op] {
  const { ok, error } = readObject(line) ?? {}
  const failure = asMembers(error)
  if (failure !== undefined) throw readFailure(failure)
  const members = asMembers(ok)
  const read = members === undefined ? undefined : READERS[op](members)
  if (read === undefined) {
    throw new KeyAgentError('KEY_AGENT_FAILED', `the key agent answered '${op}' with something else`, {
      hint: "it may be of another version: stop it with 'nunet key agent --stop' and start it again"
    })
  }
  return read
}

const READERS: { readonly [Op in keyof AgentAnswers]: (members: Members) => AgentAnswers[Op] | undefined } = {
  status: ({ pid, idleMs, endsAtMs, keys }) => {
    const held = Array.isArray(keys) && keys.length <= MAX_KEYS ? keys.map(readHeldKey) : [undefined]
    const complete = held.filter(key => key !== undefined)
    return isTime(pid) && isTime(idleMs) && isTime(endsAtMs) && complete.length === held.length
      ? { pid, idleMs, endsAtMs, keys: complete }
      : undefined
  },
  find: ({ did }) => (isDid(did) ? { did } : undefined),
  sign: ({ signature }) => {
    const bytes = readBytes(signature)
    return bytes === undefined ? undefined : { signature: bytes }
  },
  unlock: readHeldKey,
  lock: ({ names }) => (isNames(names) ? { names } : undefined),
  stop: () => ({})
}

function readHeldKey(value: unknown): HeldKeyStatus | undefined {
  const { name, did, unlockedAtMs, idleUntilMs, endsAtMs } = asMembers(value) ?? {}
  return isName(name) && isDid(did) && isTime(unlockedAtMs) && isTime(idleUntilMs) && isTime(endsAtMs)
    ? { name, did, unlockedAtMs, idleUntilMs, endsAtMs }
    : undefined
}

/** The agent's own codes, which a client takes over; any other becomes `KEY_AGENT_FAILED`. */
const AGENT_CODES: readonly KeyAgentErrorCode[] = [
  'KEY_AGENT_LOCKED',
  'KEY_AGENT_REFUSED',
  'KEY_AGENT_BUSY',
  'KEY_AGENT_WAIT'
]
const STORE_CODES: readonly KeyStoreErrorCode[] = [
  'KEY_NOT_FOUND',
  'KEY_PASSPHRASE_EMPTY',
  'KEY_PASSPHRASE_WRONG',
  'KEY_FILE_CORRUPT',
  'KEY_FILE_UNSUPPORTED'
]

function readFailure({ code, message, hint }: Members): NuError {
  const text = typeof message === 'string' ? message : 'the key agent said no without a reason'
  const options = typeof hint === 'string' ? { hint } : {}
  const storeCode = STORE_CODES.find(known => known === code)
  if (storeCode !== undefined) return new KeyStoreError(storeCode, text, options)
  const agentCode = AGENT_CODES.find(known => known === code) ?? 'KEY_AGENT_FAILED'
  return new KeyAgentError(agentCode, text, options)
}

// ---- parts

function readObject(line: string): Members | undefined {
  try {
    return asMembers(JSON.parse(line))
  } catch {
    return undefined
  }
}

function asMembers(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}

/** Whether an object has no other members. */
function only(members: Members, ...names: string[]): boolean {
  return Object.keys(members).every(name => names.includes(name))
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MAX_KEYS && value.every(isName)
}

function isPassphrase(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_PASSPHRASE_LENGTH
}

/** Times and ids: whole, above zero, exact. */
function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && typeof value === 'number' && value > 0
}

function readBytes(value: unknown): Uint8Array | undefined {
  try {
    return typeof value === 'string' ? base64ToBytes(value) : undefined
  } catch {
    return undefined
  }
}
