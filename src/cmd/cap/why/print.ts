/** The answer for people: the way, link by link, what is wrong with each, and what to do. */

import type { Token } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import type { Cli } from '../../cli/command.ts'
import { oneLine } from '../../cli/printable.ts'
import { type Colour, paint } from '../../cli/style.ts'
import { listNames, quoteName, shortDid, showDistance, showTime } from '../words.ts'
import { commandsOf } from './commands.ts'
import type { Explanation, Fault, Link, Step } from './types.ts'

type Names = ReadonlyMap<Did, string>
type Paint = (colour: Colour, text: string) => string

/** The whole answer, with a newline at its end. */
export function printExplanation(answer: Explanation, names: Names, terminal: Cli['terminal']): string {
  const colour: Paint = (name, text) => paint(terminal, 'out', name, text)
  const lines = [headline(answer, names, colour), '', ...way(answer, names, colour)]
  if (answer.others > 0)
    lines.push(`  (${answer.others} more of your delegations would be presented as well)`)
  lines.push(...todo(answer, names), '', ...whoIsWho(answer, names))
  return `${lines.join('\n')}\n`
}

const VERDICTS = {
  allowed: ['green', 'allowed'],
  refused: ['red', 'refused'],
  unknown: ['yellow', 'cannot be told from here']
} as const

function headline({ verdict, question }: Explanation, names: Names, colour: Paint): string {
  const [tone, word] = VERDICTS[verdict]
  const receiver = nameOf(question.receiver, names)
  const act =
    question.topic === undefined
      ? `invoke ${quoteName(question.behavior)} on ${receiver}`
      : `broadcast ${quoteName(question.behavior)} in the topic ${quoteName(question.topic)} to ${receiver}`
  return `${colour(tone, word)}: ${nameOf(question.sender, names)} ${AUXILIARY[verdict]} ${act}`
}

const AUXILIARY = { allowed: 'may', refused: 'may not', unknown: 'wants to' } as const

function way(answer: Explanation, names: Names, colour: Paint): string[] {
  const { route, question, verdict } = answer
  const title = verdict === 'allowed' ? 'the way' : 'the nearest way'
  const lines = [`${title}, from whom it starts to the message:`]
  for (const link of route.links.toReversed())
    lines.push(...linkLines('gives', link.token.issuer, link, { answer, names, colour }))
  if (route.grantor !== undefined) {
    const parties = `${nameOf(route.grantor, names)} gives ${nameOf(question.sender, names)}`
    lines.push(`  ${parties}`, fault('nothing for this yet', colour))
  }
  lines.push(`  ${nameOf(question.sender, names)} signs the message`)
  if (answer.isCrowdedOut)
    lines.push(fault('has no room in the message: other delegations come before it', colour))
  return [...lines, ...admission(answer, names, colour)]
}

function admission(answer: Explanation, names: Names, colour: Paint): string[] {
  const { question, route } = answer
  const receiver = nameOf(question.receiver, names)
  const found = route.admission
  switch (found.by) {
    case 'owner':
      return [
        `  ${receiver} trusts what it gave itself`,
        ...(answer.isReceiverKnown
          ? []
          : ['  (unless it has revoked it since: its anchors are not on this machine)'])
      ]
    case 'root':
      return [`  ${receiver} trusts ${nameOf(found.did, names)} in everything (root anchor)`]
    case 'require': {
      const context = { answer, names, colour }
      return linkLines('accepts from', question.receiver, { ...found.anchor, to: found.did }, context)
    }
    case 'nothing':
      return [`  ${receiver}`, fault('has no anchor that names an issuer of this chain', colour)]
    case 'unknown': {
      const issuers = [...new Set([...route.links.map(({ token }) => token.issuer), question.sender])]
      const list = issuers.map(did => nameOf(did, names)).join(' or ')
      return [
        `  ${receiver} would have to trust ${list}: as a root, or by a require anchor that covers this`,
        '  (its anchors are not on this machine)'
      ]
    }
  }
}

interface Context {
  readonly answer: Explanation
  readonly names: Names
  readonly colour: Paint
}

function linkLines(
  verb: string,
  from: Did,
  link: Link & { readonly to?: Did },
  { answer, names, colour }: Context
): string[] {
  const { token, faults } = link
  const parties = `${nameOf(from, names)} ${verb} ${nameOf(link.to ?? token.subject, names)}`
  return [`  ${parties}`, `      ${grantText(token, answer.question.nowNs, names)}`, ...marks(faults, colour)]
}

/** `'/a', '/b' on '/t', only for x, until 2026-12-31 00:00 UTC (in 30d)`. */
function grantText(token: Token, nowNs: bigint, names: Names): string {
  const parts = [listNames(token.capabilities)]
  if (token.topics.length > 0) parts.push(`in the topics ${listNames(token.topics)}`)
  if (token.audience !== undefined) parts.push(`only for ${nameOf(token.audience, names)}`)
  if (token.depth > 0n) parts.push(`depth ${token.depth}`)
  const end = token.expiresAtNs
  return `${parts.join(', ')}, until ${showTime(end)} (${showDistance(end, nowNs)})`
}

function marks(faults: readonly Fault[], colour: Paint): string[] {
  return faults.map(({ rule, text }) => fault(`${rule}: ${text}`, colour))
}

function fault(text: string, colour: Paint): string {
  return `      ${colour('red', '✗')} ${oneLine(text)}`
}

function todo({ verdict, steps, shortcut }: Explanation, names: Names): string[] {
  if (steps.length === 0) return []
  const title = verdict === 'unknown' ? 'to make sure of it' : 'to mend it'
  const lines = ['', `${title}:`, ...stepLines(steps, names)]
  if (shortcut.length > 0)
    lines.push('', 'or, with the identities of this machine alone:', ...stepLines(shortcut, names))
  return lines
}

function stepLines(steps: readonly Step[], names: Names): string[] {
  return steps.flatMap((step, index) => [
    `  ${index + 1}. ${deed(step, names)}: ${oneLine(step.why)}`,
    ...commandsOf(step, names).flatMap(command => [
      `     ${command.context === undefined ? `the owner of ${oneLine(command.by)} runs` : 'run'}`,
      `       ${oneLine(command.line)}`
    ])
  ])
}

function deed({ issue, anchor }: Step, names: Names): string {
  const subject = nameOf(issue.subject, names)
  return anchor.as === 'provide'
    ? `${nameOf(issue.issuer, names)} gives ${subject} a delegation`
    : `${nameOf(anchor.owner, names)} accepts ${subject}`
}

function whoIsWho({ question, route }: Explanation, names: Names): string[] {
  const parties = new Set<Did>([question.sender, question.receiver])
  for (const { token } of route.links) parties.add(token.issuer).add(token.subject)
  if (route.grantor !== undefined) parties.add(route.grantor)
  if (route.admission.by === 'require' || route.admission.by === 'root') parties.add(route.admission.did)
  return [...parties].map(did => `  ${nameOf(did, names)} is ${oneLine(did)}`)
}

/** The name of a context of this machine, or the DID, shortened. */
function nameOf(did: Did, names: Names): string {
  const name = names.get(did)
  return name === undefined ? shortDid(did) : oneLine(name)
}
