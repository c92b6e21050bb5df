/** Calls of the human commands: a plain value comes back, everything else is an error with an exit code. */

import { decodePayload, readRefusalReply } from '../../actor/message/index.ts'
import type { Clock } from '../../types/index.ts'
import { deadline } from '../../utils/index.ts'
import { CommandError, RefusedError } from '../cli/errors.ts'
import type { Session } from './session.ts'

export type Reply = Record<string, unknown>

export interface CallOptions {
  readonly signal: AbortSignal
  /** How long to wait for the reply. */
  readonly waitMs?: number
  /** How long the message lives, when longer than the wait: some behaviours take it as a time limit. */
  readonly lifeMs?: number
}

/**
 * Invokes a behaviour of the local daemon.
 * @throws RefusedError when the node says why it may not, ApiTimeoutError when it says nothing.
 */
export async function callNode(
  session: Session,
  clock: Clock,
  behavior: string,
  payload: unknown,
  options: CallOptions
): Promise<Reply> {
  const waitMs = options.waitMs ?? session.timeoutMs
  const expiresAtNs = session.expiry(options.lifeMs ?? waitMs)
  // A message that lives as long as the wait ends with the daemon's own verdict.
  const limitMs = options.lifeMs === undefined ? waitMs * 2 : waitMs
  using limit = deadline(clock, limitMs, `the answer to '${behavior}'`, options.signal)
  const bytes = await session.invoke({ behavior, payload, expiresAtNs }, limit.signal)
  const decoded = decodePayload(bytes)
  if (!decoded.ok || !isRecord(decoded.value)) {
    throw new CommandError(`the node answered '${behavior}' with something that is no object`)
  }
  const refusal = readRefusalReply(decoded.value)
  if (refusal === undefined) return decoded.value
  throw new RefusedError(
    `the node refused '${behavior}'`,
    refusal,
    `the owner of the node can grant it: nunet cap anchor -c dms --root ${session.did}`
  )
}

export function isRecord(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member under any of some names, without regard to case: replies of different ages differ in it. */
export function member(record: Reply, ...names: string[]): unknown {
  const wanted = names.map(name => name.toLowerCase())
  return Object.entries(record).find(
    ([name, value]) => wanted.includes(name.toLowerCase()) && value !== undefined
  )?.[1]
}

/** A text member; empty when absent. */
export function textMember(record: Reply, ...names: string[]): string {
  const value = member(record, ...names)
  return typeof value === 'string' ? value : ''
}

export function numberMember(record: Reply, ...names: string[]): number | undefined {
  const value = member(record, ...names)
  return typeof value === 'number' ? value : undefined
}

/** An object member; empty when absent. */
export function recordMember(record: Reply, ...names: string[]): Reply {
  const value = member(record, ...names)
  return isRecord(value) ? value : {}
}

/** Objects of a list member; empty when absent. */
export function listMember(record: Reply, ...names: string[]): Reply[] {
  const value = member(record, ...names)
  return Array.isArray(value) ? value.filter(isRecord) : []
}
