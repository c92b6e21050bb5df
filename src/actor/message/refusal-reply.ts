/**
 * An explained refusal as a reply payload: exactly the members `Error`, the tree as text, which callers of the
 * existing system show, and `Refusal`, the tree itself. Only callers the receiver knows get one.
 */

import type { Refusal } from '../../types/index.ts'
import { MAX_REFUSAL_DEPTH, refusal, renderRefusal } from '../../utils/index.ts'
import { MAX_PEER_REFUSAL_NODES, MAX_PEER_REFUSAL_TEXT } from './constants.ts'

/** Payload of an explained refusal: these two members and no other. */
export interface RefusalReply {
  readonly Error: string
  readonly Refusal: Refusal
}

/** The payload that tells a known caller why it was refused. The tree must be JSON-safe. */
export function refusalReply(tree: Refusal): RefusalReply {
  return { Error: renderRefusal(tree), Refusal: tree }
}

/**
 * The tree in a reply payload when the payload is an explained refusal, else `undefined`. The tree comes from a
 * peer: it is cut to a bounded size, and control characters, which could steer a terminal, become spaces.
 */
export function readRefusalReply(payload: unknown): Refusal | undefined {
  if (!isRecord(payload)) return undefined
  const names = Object.keys(payload)
  if (names.length !== 2 || typeof payload['Error'] !== 'string') return undefined
  return readTree(payload['Refusal'], 0, { left: MAX_PEER_REFUSAL_NODES })
}

function readTree(value: unknown, depth: number, budget: { left: number }): Refusal | undefined {
  if (!isRecord(value) || depth > MAX_REFUSAL_DEPTH || budget.left-- <= 0) return undefined
  const { code, message, details, causes } = value
  if (typeof code !== 'string' || typeof message !== 'string') return undefined
  const inner = Array.isArray(causes) ? causes.slice(0, MAX_PEER_REFUSAL_NODES) : []
  const kept = inner.map(cause => readTree(cause, depth + 1, budget)).filter(cause => cause !== undefined)
  return refusal(printable(code), printable(message), {
    causes: kept,
    ...(isRecord(details) ? { details } : {})
  })
}

function printable(text: string): string {
  return text.slice(0, MAX_PEER_REFUSAL_TEXT).replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, ' ')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
