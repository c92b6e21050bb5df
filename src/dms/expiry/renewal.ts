/** What the end of a token takes away, and who has to do what to renew it. Text for people, safe for logs and terminals. */

import { chainOf, type Token } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { formatDuration, isoTime } from '../../utils/index.ts'
import type { AnchorRole, RenewalStep } from './types.ts'

/** Names shown, and characters of each: a token may hold thousands. */
const MAX_SHOWN_NAMES = 8
const MAX_SHOWN_LENGTH = 120
/** The last millisecond of the calendar (ECMA-262, time values). */
const CALENDAR_END_MS = 8_640_000_000_000_000
/** Characters of names in one command; beyond, whoever types it must look them up. */
const MAX_COMMAND_LENGTH = 1_000

/** One line: who may then no longer do what. */
export function effectOf(
  role: AnchorRole | 'grant',
  token: Pick<Token, 'subject' | 'capabilities' | 'topics'>
): string {
  const { subject, capabilities, topics } = token
  const what = `${shown(capabilities ?? [])}${topics.length > 0 ? ` with topics ${shown(topics)}` : ''}`
  return role === 'provide'
    ? `others no longer accept ${what} from here`
    : `${subject} may no longer use ${what} here`
}

/**
 * The commands that renew a token, in their order. Where whoever issued it can give no longer life, because what they
 * hold ends at the same time, theirs comes first.
 */
export function renewalOf(
  role: AnchorRole,
  token: Token,
  here: { owner: Did; context: string }
): RenewalStep[] {
  const links = chainOf(token).filter(link => link.expiresAtNs <= token.expiresAtNs)
  const contextOf = (did: Did): string => (did === here.owner ? here.context : '<context>')
  const steps: RenewalStep[] = []
  for (const link of links.reverse()) {
    steps.push({ by: link.issuer, command: issueCommand(link, contextOf(link.issuer)) })
    const holder = link === token ? here.owner : link.subject
    const anchor = link === token ? role : 'provide'
    steps.push({ by: holder, command: `nunet cap anchor -c ${contextOf(holder)} --${anchor} <token>` })
  }
  return steps
}

function issueCommand(link: Token, context: string): string {
  const words = ['nunet cap', link.chain === undefined ? 'grant' : 'delegate', '-c', context]
  words.push(...nameFlags('--cap', link.capabilities ?? []), ...nameFlags('--topic', link.topics))
  if (link.audience !== undefined) words.push('--audience', link.audience)
  if (link.depth > 0n) words.push('--depth', String(link.depth))
  return [...words, '--expiry', '<date>', link.subject].join(' ')
}

/** One line for people: `ends in 6 d 23 h (2027-…): others no longer accept …`, or `ended 2026-…: …`. */
export function announcement(effect: string, endsAtMs: number, nowMs: number): string {
  const time = isoTime(Math.min(endsAtMs, CALENDAR_END_MS))
  const leftMs = endsAtMs - nowMs
  return leftMs < 0 ? `ended ${time}: ${effect}` : `ends in ${showLeft(leftMs)} (${time}): ${effect}`
}

function nameFlags(flag: string, names: readonly string[]): string[] {
  const isLong = names.reduce((sum, name) => sum + name.length, 0) > MAX_COMMAND_LENGTH
  return isLong ? [flag, '<as before>'] : names.flatMap(name => [flag, shellWord(name)])
}

/** `29 d 23 h`, and below two days as other durations. */
export function showLeft(ms: number): string {
  const hours = Math.floor(ms / 3_600_000)
  return hours < 48 ? formatDuration(ms) : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

function shown(names: readonly string[]): string {
  const some = names.slice(0, MAX_SHOWN_NAMES).map(name => `'${cut(name)}'`)
  return names.length > MAX_SHOWN_NAMES
    ? `${some.join(', ')} and ${names.length - MAX_SHOWN_NAMES} more`
    : some.join(', ')
}

function cut(name: string): string {
  return visible(name.length <= MAX_SHOWN_LENGTH ? name : `${name.slice(0, MAX_SHOWN_LENGTH)}…`)
}

/** What is not plain printable text is shown by its code: it could drive a terminal or forge a line. */
function visible(text: string): string {
  return text.replace(
    /[^\p{L}\p{N}\p{P}\p{S} ]/gu,
    found => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`
  )
}

/** A word of a shell command, in single quotes where it needs them (POSIX.1-2024, Shell, §2.2.2). */
function shellWord(text: string): string {
  const safe = visible(text)
  return /^[\w@%+=:,./-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", `'\\''`)}'`
}
