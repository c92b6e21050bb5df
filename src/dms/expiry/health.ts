/** How it stands with a node's capabilities, from what is watched and from its dynamic grants. Pure. */

import type { GrantState } from '../grants/index.ts'
import { endOf } from './coverage.ts'
import type { Watched } from './memory.ts'
import { effectOf, renewalOf } from './renewal.ts'
import { stepsPassed } from './steps.ts'
import type { CapabilityHealth, HealthIssue } from './types.ts'

/** Whose health it is: owner of the context, and the name of the context in commands. */
export type Here = Parameters<typeof renewalOf>[2]

/** What is announced of a token, or was; `undefined` while its end is far. */
export function issueOf(
  { role, token, firstSeenMs }: Pick<Watched, 'role' | 'token' | 'firstSeenMs'>,
  here: Here,
  nowMs: number
): HealthIssue | undefined {
  const endsAtMs = endOf(token)
  const leftMs = endsAtMs - nowMs
  if (stepsPassed(endsAtMs - firstSeenMs, leftMs) === 0) return undefined
  return {
    kind: role,
    status: leftMs < 0 ? 'expired' : 'expiring',
    endsAtMs,
    subject: token.subject,
    capabilities: token.capabilities ?? [],
    topics: token.topics,
    effect: effectOf(role, token),
    renewal: renewalOf(role, token, here)
  }
}

/** The whole, worst first. */
export function assessHealth(
  watched: readonly Watched[],
  grants: readonly GrantState[],
  here: Here,
  nowMs: number
): CapabilityHealth {
  const issues = [
    ...watched.map(each => issueOf(each, here, nowMs)),
    ...grants.map(grant => grantIssue(grant, nowMs))
  ].filter(issue => issue !== undefined)
  issues.sort((a, b) => a.endsAtMs - b.endsAtMs)
  const untilMs = Math.min(
    ...watched.map(({ token }) => endOf(token)),
    ...issues.map(({ endsAtMs }) => endsAtMs)
  )
  const isExpired = issues.some(({ status }) => status === 'expired')
  return {
    status: isExpired ? 'expired' : issues.length > 0 ? 'expiring' : 'healthy',
    ...(Number.isFinite(untilMs) ? { untilMs } : {}),
    issues
  }
}

/** A grant is renewed by the node itself long before it ends, so one that is due and was not is ill. */
function grantIssue({ failure, endsAtMs, ...grant }: GrantState, nowMs: number): HealthIssue | undefined {
  const isExpired = endsAtMs < nowMs
  if (failure === undefined && !isExpired) return undefined
  return {
    kind: 'grant',
    status: isExpired ? 'expired' : 'expiring',
    endsAtMs,
    subject: grant.subject,
    capabilities: grant.capabilities,
    topics: [],
    effect: effectOf('grant', { ...grant, capabilities: [...grant.capabilities], topics: [] }),
    renewal: [],
    ...(failure === undefined ? {} : { failure })
  }
}
