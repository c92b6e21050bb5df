/** Calls of the human commands: a plain value comes back, everything else is an error with an exit code. */

import { decodePayload, readRefusalReply } from '../../actor/message/index.ts'
import { CommandError, RefusedError } from '../cli/errors.ts'
import type { Session } from './session.ts'

export interface CallOptions {
  timeoutMs?: number
  signal?: AbortSignal
}

/**
 * Invokes a behaviour of the local daemon.
 * @throws RefusedError when the node says why it may not, ApiTimeoutError when it says nothing.
 */
export async function callNode(
  session: Session,
  behavior: string,
  payload: unknown,
  options: CallOptions = {}
): Promise<Record<string, unknown>> {
  const expiresAtNs = session.expiry(options.timeoutMs ?? 30_000)
  const bytes = await session.invoke({ behavior, payload, expiresAtNs }, options.signal)
  const decoded = decodePayload(bytes)
  if (!decoded.ok || !isRecord(decoded.value))
    throw new CommandError(`the node answered '${behavior}' with something that is no object`)
  const refusal = readRefusalReply(decoded.value)
  if (refusal === undefined) return decoded.value
  throw new RefusedError(
    `the node refused '${behavior}'`,
    refusal,
    "the owner of the node can grant it with 'nunet cap anchor --root <your DID>' or a token"
  )
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text member of a reply; empty when absent. Names are matched without regard to case, as replies differ in it. */
export function textMember(record: Record<string, unknown>, ...names: string[]): string {
  const value = member(record, ...names)
  return typeof value === 'string' ? value : ''
}

export function numberMember(record: Record<string, unknown>, ...names: string[]): number | undefined {
  const value = member(record, ...names)
  return typeof value === 'number' ? value : undefined
}

/** A member under any of some names, without regard to case. */
export function member(record: Record<string, unknown>, ...names: string[]): unknown {
  const wanted = names.map(name => name.toLowerCase())
  return Object.entries(record).find(
    ([name, value]) => wanted.includes(name.toLowerCase()) && value !== undefined
  )?.[1]
}
