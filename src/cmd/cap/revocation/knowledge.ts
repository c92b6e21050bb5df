/** How old a node's knowledge of revocations is, in words. */

import { formatDuration, isoTime, parseTimeMs } from '../../../utils/index.ts'
import { numberMember, type Reply, textMember } from '../../session/call.ts'

/** What a node says about its knowledge of revocations. */
export interface KnowledgeReport {
  readonly isCurrent: boolean
  /** Absent when the node was never current. */
  readonly knownAsOfMs: number | undefined
  readonly count: number
  /** Revocations for which there was no room. */
  readonly turnedAway: number
}

/** Reads the reply of `/dms/cap/revocation/status`. */
export function readKnowledge(reply: Reply): KnowledgeReport {
  return {
    isCurrent: reply['Current'] === true,
    knownAsOfMs: readTime(textMember(reply, 'KnownAsOf')),
    count: numberMember(reply, 'Count') ?? 0,
    turnedAway: numberMember(reply, 'TurnedAway') ?? 0
  }
}

function readTime(text: string): number | undefined {
  try {
    return text === '' ? undefined : parseTimeMs(text)
  } catch {
    return undefined // a reply from elsewhere may say anything
  }
}

/** `current`, or since when it is not. */
export function describeKnowledge({ isCurrent, knownAsOfMs }: KnowledgeReport, nowMs: number): string {
  if (isCurrent) return 'current'
  if (knownAsOfMs === undefined) return 'never compared with another node'
  const age = formatDuration(Math.max(0, nowMs - knownAsOfMs))
  return `known as of ${isoTime(knownAsOfMs)}, ${age} ago; no other node has answered since`
}
