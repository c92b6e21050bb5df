/** What has to be done for a route to be open, in order. */

import type { Token } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { deepestFault } from './routes.ts'
import type { Admission, Holdings, Question, Route, Step } from './types.ts'

/** Life of a grant that is suggested: long enough to work with, short enough to be looked at again. Hours. */
const GRANT_HOURS = 720n

const HOUR_NS = 3_600_000_000_000n

/** The anchors of an owner whose context is on this machine. */
export type Here = (owner: Did) => Holdings | undefined

/** The steps for a route. For a receiver that is not known here, the last one may have been done already. */
export function stepsFor(route: Route, question: Question, here: Here): Step[] {
  const steps = route.kind === 'missing' ? [grantStep(route.grantor ?? question.receiver, question)] : []
  steps.push(...renewals(route, question, here))
  const welcome = welcomeStep(route, question)
  return welcome === undefined ? steps : [...steps, welcome]
}

/** The receiver takes the sender's own word: the way that needs no room in the message. */
export function ownWordStep(question: Question): Step {
  return acceptStep(question.sender, question, 'so that no delegation is needed')
}

function grantStep(issuer: Did, question: Question): Step {
  return {
    why: 'there is none for this yet',
    issue: { ...tokenFor(question), form: 'grant', issuer, subject: question.sender },
    anchor: { as: 'provide', owner: question.sender }
  }
}

/**
 * The deepest delegation that breaks a rule is made anew, and then all that were built on it. Not deeper than the
 * receiver's trust: whom it trusts in everything grants on its own word.
 */
function renewals({ links, admission }: Route, question: Question, here: Here): Step[] {
  const deepest = deepestFault({ links })
  const trusted =
    admission.by === 'root' || admission.by === 'owner'
      ? links.findIndex(({ token }) => token.issuer === admission.did)
      : -1
  const isShort = trusted !== -1 && trusted < deepest
  const first = isShort ? trusted : deepest
  const kept = isShort ? undefined : links[deepest + 1]?.token
  return links
    .slice(0, first + 1)
    .toReversed()
    .map(({ token, faults }, index) => {
      const why =
        faults.length === 0
          ? 'the present one rests on one that must be made anew'
          : `the present one ${faults.map(fault => fault.text).join('; ')}`
      const { issuer, subject } = token
      const rest = { issuer, subject, audience: kept?.audience }
      const issue =
        index === 0 && kept === undefined
          ? { ...tokenFor(question), ...rest, form: 'grant' as const }
          : {
              ...tokenFor(question),
              ...rest,
              form: 'delegate' as const,
              duration: 'auto' as const,
              holdFirst: index === 0 ? lacking(here(issuer), kept) : undefined
            }
      return { why, issue, anchor: { as: 'provide' as const, owner: subject } }
    })
}

/** The delegation to chain on, when its holder is here and has not kept it. */
function lacking(holder: Holdings | undefined, kept: Token | undefined): Token | undefined {
  if (holder === undefined || kept === undefined) return undefined
  const isHeld = holder.provide.some(token => isSame(token, kept))
  return isHeld ? undefined : kept
}

function isSame(a: Token, b: Token): boolean {
  return (
    a.signature !== undefined && b.signature !== undefined && Buffer.compare(a.signature, b.signature) === 0
  )
}

/** What the receiver has to add when it does not take the chain. */
function welcomeStep({ links, admission }: Route, question: Question): Step | undefined {
  const oldest = links.at(-1)?.token.issuer ?? question.sender
  const known: Partial<Record<Admission['by'], string>> = {
    nothing: 'it trusts nobody of the chain',
    unknown: 'unless it trusts somebody of the chain already'
  }
  if (admission.by !== 'require') {
    const why = known[admission.by]
    return why === undefined ? undefined : acceptStep(oldest, question, why)
  }
  const { faults } = admission.anchor
  if (faults.length === 0) return undefined
  return acceptStep(
    admission.did,
    question,
    `the present anchor ${faults.map(fault => fault.text).join('; ')}`
  )
}

function acceptStep(subject: Did, question: Question, why: string): Step {
  return {
    why,
    issue: { ...tokenFor(question), form: 'grant', issuer: question.receiver, subject },
    anchor: { as: 'require', owner: question.receiver }
  }
}

/** No more than was asked for. */
function tokenFor({ behavior, topic, nowNs, expiresAtNs }: Question) {
  const needed = (expiresAtNs - nowNs) / HOUR_NS + 2n
  const hours = needed > GRANT_HOURS ? needed : GRANT_HOURS
  return { capability: behavior, topic, audience: undefined, duration: `${hours}h`, holdFirst: undefined }
}
