/** Envelopes through the local daemon, and the checks the daemon leaves to us (identity-and-actors §10.2). */

import {
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  formatHandle,
  verifyEnvelope
} from '../../actor/message/index.ts'
import type { ApiClient } from '../../api/client/index.ts'
import type { Clock, Refusal, Result } from '../../types/index.ts'
import { bytesToUtf8, ok, refusal, refuse, utf8ToBytes } from '../../utils/index.ts'
import { CommandError } from '../cli/errors.ts'
import { printGoJson, readGoJson } from '../cli/go-print.ts'

/**
 * Added to the time a request may take beyond the message's expiry, so that the daemon's own verdict, which says
 * more, arrives first. Milliseconds.
 */
const VERDICT_MARGIN_MS = 3000

interface Exchange {
  readonly client: ApiClient
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Hands a message over. */
export async function sendEnvelope({ client, clock, signal }: Exchange, envelope: Envelope): Promise<void> {
  await client.send(encodeEnvelope(envelope), { signal, timeoutMs: timeLeft(clock, envelope) })
}

/** The reply to a message, checked. @throws CommandError for a reply that is forged or somebody else's. */
export async function invokeEnvelope(
  { client, clock, signal }: Exchange,
  envelope: Envelope
): Promise<Envelope> {
  const answer = await client.invoke(encodeEnvelope(envelope), {
    signal,
    timeoutMs: timeLeft(clock, envelope)
  })
  const reply = checkReply(envelope, answer, clock)
  if (reply.ok) return reply.value
  throw new CommandError(`the reply cannot be trusted: ${reply.error.message}`, {
    hint: 'somebody between this command and the node answered in its name; use the REST address of your own daemon'
  })
}

/** Replies to a broadcast that check out, in the order they came, and what was wrong with the others. */
export async function broadcastEnvelope(
  { client, clock, signal }: Exchange,
  envelope: Envelope
): Promise<{ replies: Envelope[]; dropped: Refusal[] }> {
  const answer = await client.broadcast(encodeEnvelope(envelope), {
    signal,
    timeoutMs: timeLeft(clock, envelope)
  })
  const list = readList(answer)
  const replies: Envelope[] = []
  const dropped: Refusal[] = []
  for (const item of list) {
    const reply = checkReply(envelope, item, clock)
    if (reply.ok) replies.push(reply.value)
    else dropped.push(reply.error)
  }
  return { replies, dropped }
}

function timeLeft(clock: Clock, envelope: Envelope): number {
  const left = Number((envelope.options.expiresAtNs - clock.nowNs()) / 1_000_000n)
  return Math.max(0, left) + VERDICT_MARGIN_MS
}

/** Signature, that it answers this very message, and for a unicast that it comes from whom was asked. */
function checkReply(asked: Envelope, answer: Uint8Array, clock: Clock): Result<Envelope> {
  const decoded = decodeEnvelope(answer)
  if (!decoded.ok) return decoded
  const reply = decoded.value
  // A reply lives as long as its question; one that came at the last moment is not late for having been carried.
  const verified = verifyEnvelope(reply, minimum(clock.nowNs(), reply.options.expiresAtNs))
  if (!verified.ok) return verified
  if (reply.behavior !== asked.options.replyTo || reply.to.id !== asked.from.id) {
    return refuse(refusal('CLI_REPLY_FOREIGN', `it answers '${reply.behavior}', not this message`))
  }
  const broadcast = asked.options.topic !== ''
  if (!broadcast && (reply.from.id !== asked.to.id || reply.from.did !== asked.to.did)) {
    return refuse(
      refusal(
        'CLI_REPLY_FOREIGN',
        `it comes from ${formatHandle(reply.from)}, not from ${formatHandle(asked.to)}`
      )
    )
  }
  return ok(reply)
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

/** The members of a JSON array as texts of their own; integers stay exact. */
function readList(answer: Uint8Array): Uint8Array[] {
  const value = readGoJson(answer)
  if (value === null) return []
  if (!Array.isArray(value))
    throw new CommandError(`the daemon answered '${bytesToUtf8(answer).slice(0, 80)}' instead of a list`)
  return value.map(item => utf8ToBytes(printGoJson(item, 0)))
}
