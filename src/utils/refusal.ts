import type { Refusal, Result } from '../types/index.ts'

/** A result with a value. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

/** A result with a refusal. */
export function refuse(error: Refusal): { readonly ok: false; readonly error: Refusal } {
  return { ok: false, error }
}

/** Makes a refusal; leaves out what is empty so that it prints short. */
export function refusal(
  code: string,
  message: string,
  parts: { details?: Refusal['details']; causes?: readonly Refusal[] } = {}
): Refusal {
  return {
    code,
    message,
    ...(parts.details && Object.keys(parts.details).length > 0 ? { details: parts.details } : {}),
    ...(parts.causes && parts.causes.length > 0 ? { causes: parts.causes } : {})
  }
}

/** Deepest tree printed or accepted; a hostile peer must not exhaust the stack. */
export const MAX_REFUSAL_DEPTH = 32

/** Most lines printed; a tree from a peer may be wide. */
const MAX_REFUSAL_LINES = 1000

/** Longest text of one node printed. */
const MAX_REFUSAL_TEXT = 1000

/** Control characters, line separators and direction overrides: a tree from a peer must not drive the terminal. */
const ACTIVE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/**
 * Prints the tree of causes, one line each. Text that would act on a terminal is made visible.
 *
 * ```
 * not authorised to invoke '/dms/node/deployment/new' (UCAN_NOT_AUTHORIZED)
 * └─ token 1 of 2 expired 2026-01-01T00:00:00Z (UCAN_EXPIRED)
 * ```
 */
export function renderRefusal(tree: Refusal): string {
  const lines: string[] = [headline(tree)]
  appendCauses(tree, '', lines, 0)
  return lines.join('\n')
}

function headline(node: Refusal): string {
  return `${printable(node.message)} (${printable(node.code)})`
}

function printable(text: string): string {
  const short = text.length <= MAX_REFUSAL_TEXT ? text : `${text.slice(0, MAX_REFUSAL_TEXT)}…`
  return short.replace(ACTIVE, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function appendCauses(node: Refusal, indent: string, lines: string[], depth: number): void {
  if (depth >= MAX_REFUSAL_DEPTH) return
  const causes = node.causes ?? []
  for (const [index, cause] of causes.entries()) {
    if (lines.length >= MAX_REFUSAL_LINES) return
    const last = index === causes.length - 1
    lines.push(`${indent}${last ? '└─' : '├─'} ${headline(cause)}`)
    appendCauses(cause, indent + (last ? '   ' : '│  '), lines, depth + 1)
  }
}

/** The value, or throws `toError(refusal)`. For the border between verdict code and code that throws. */
export function unwrap<T>(result: Result<T>, toError: (refusal: Refusal) => Error): T {
  if (result.ok) return result.value
  throw toError(result.error)
}
