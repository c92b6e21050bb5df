/** What peers write is cut to a size before it is kept: it ends up in the database, in events and on terminals. */

import type { Refusal } from '../../types/index.ts'
import { refusal } from '../../utils/index.ts'

/** Longest text of a peer that is kept, in UTF-16 units. */
export const MAX_PEER_TEXT = 500

/** A tree of reasons of a peer: levels, and text of all its nodes together in UTF-16 units. */
const MAX_TREE_DEPTH = 6
const MAX_TREE_TEXT = 16_384

/** Facts kept of one node of a tree; only plain ones. */
const MAX_DETAILS = 8

/** Cuts a text, so that a reader sees that it was cut. */
export function clip(text: string, max: number = MAX_PEER_TEXT): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`
}

/** A tree of reasons as a peer sent it, or `undefined` when it is none. Never recurses deeper than it keeps. */
export function readPeerRefusal(value: unknown): Refusal | undefined {
  return readTree(value, 1, { text: MAX_TREE_TEXT })
}

/** A tree that may hold parts a peer wrote, cut to the same bounds. */
export function clipRefusal(tree: Refusal): Refusal {
  return readPeerRefusal(tree) ?? refusal(clip(tree.code, 64), clip(tree.message))
}

function readTree(value: unknown, depth: number, left: { text: number }): Refusal | undefined {
  if (depth > MAX_TREE_DEPTH || left.text <= 0 || typeof value !== 'object' || value === null)
    return undefined
  const members = new Map<string, unknown>(Object.entries(value))
  const [code, message, causes] = [members.get('code'), members.get('message'), members.get('causes')]
  if (typeof code !== 'string' || typeof message !== 'string') return undefined
  const head = { code: clip(code, 64), message: clip(message) }
  left.text -= head.code.length + head.message.length
  const kept: Refusal[] = []
  for (const cause of Array.isArray(causes) ? causes : []) {
    const read = readTree(cause, depth + 1, left)
    if (read === undefined) break
    kept.push(read)
  }
  return refusal(head.code, head.message, { details: plainDetails(members.get('details')), causes: kept })
}

function plainDetails(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {}
  const plain = Object.entries(value)
    .filter(([, fact]) => ['string', 'number', 'boolean'].includes(typeof fact))
    .slice(0, MAX_DETAILS)
  return Object.fromEntries(
    plain.map(([name, fact]) => [clip(name, 64), typeof fact === 'string' ? clip(fact, 128) : fact])
  )
}
