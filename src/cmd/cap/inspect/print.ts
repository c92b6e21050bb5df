/** Inspected tokens for people: a tree from the root of each chain to its leaf, DIDs whole so that they can be copied. */

import { type Capability, chainExpiry, type Token } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { renderRefusal } from '../../../utils/index.ts'
import { oneLine } from '../../cli/printable.ts'
import { type Colour, paint } from '../../cli/style.ts'
import type { Terminal } from '../../cli/terminal.ts'
import { quoteName, showDistance, showTime } from '../words.ts'
import type { ContextView, Judged, JudgedLink } from './judge.ts'
import { idOf } from './report.ts'

type Names = ReadonlyMap<Did, string>

/** Links of longer chains stand below each other. */
const MAX_INDENT = 8

/** What printing depends on. */
export interface Look {
  readonly terminal: Terminal
  readonly names: Names
  readonly nowNs: bigint
}

/** All of them, an empty line between. */
export function printJudged(judged: readonly Judged[], look: Look): string {
  return judged.map((each, index) => printOne(each, index, judged.length, look)).join('\n')
}

function printOne(judged: Judged, index: number, count: number, look: Look): string {
  const { token, verdict } = judged
  const title = count > 1 ? `token ${index + 1} of ${count}` : 'token'
  const state = verdict.ok
    ? colour(look, 'green', `valid until ${showEnd(chainExpiry(token), look)}`)
    : colour(look, 'red', 'not valid')
  const reasons = verdict.ok ? [] : block(renderRefusal(verdict.error), '  ')
  return lines([
    `${title}: ${state}`,
    ...reasons,
    ...judged.links.flatMap((link, depth) => linkLines(link, depth, look)),
    ...(judged.inContext === undefined ? [] : contextLines(judged.inContext, token, look))
  ])
}

function linkLines({ token, fault }: JudgedLink, depth: number, look: Look): string[] {
  const level = Math.min(depth, MAX_INDENT)
  const head = level === 0 ? '  ' : `  ${'   '.repeat(level - 1)}└─ `
  const margin = `  ${'   '.repeat(level)}`
  const mark = fault === undefined ? colour(look, 'green', 'ok') : colour(look, 'red', oneLine(fault.code))
  const id = idOf(token)
  return [
    `${head}${party(token.issuer, look)}`,
    `${margin}${verbOf(token)} ${party(token.subject, look)}  [${mark}]`,
    ...facts(token, look).map(([name, value]) => `${margin}  ${name.padEnd(13)} ${value}`),
    ...(id === undefined ? [] : [`${margin}  ${'id'.padEnd(13)} ${id}`])
  ]
}

const VERBS: Readonly<Record<string, string>> = {
  delegate: 'lets use and pass on:',
  invoke: 'lets invoke:',
  broadcast: 'lets broadcast:',
  revoke: 'takes back from:'
}

function verbOf({ action }: Token): string {
  return (Object.hasOwn(VERBS, action) ? VERBS[action] : undefined) ?? `says ${quoteName(action)} to:`
}

function facts(token: Token, look: Look): [string, string][] {
  const found: [string, string][] = [['capabilities', allNames(token.capabilities ?? [])]]
  if (token.topics.length > 0) found.push(['topics', allNames(token.topics)])
  if (token.action !== 'revoke') {
    found.push(['on', token.audience === undefined ? 'anybody' : party(token.audience, look)])
    if (token.action === 'delegate') found.push(['passing on', passingOn(token.depth)])
  }
  found.push(['until', showEnd(token.expiresAtNs, look)])
  return found
}

/** All of them: a name that is not shown could be the one that matters. */
function allNames(names: readonly Capability[]): string {
  return names.length === 0 ? 'nothing' : names.map(quoteName).join(', ')
}

/** A token of depth 1 may be used by its subject, not passed on (identity-and-actors §6.3). */
function passingOn(depth: bigint): string {
  if (depth === 0n) return 'without limit'
  if (depth === 1n) return 'not allowed (depth 1)'
  return depth === 2n ? 'once (depth 2)' : `at most ${depth - 1n} times (depth ${depth})`
}

function contextLines(view: ContextView, token: Token, look: Look): string[] {
  const name = `context '${oneLine(view.name)}'`
  const held = view.held.length === 0 ? 'does not hold it' : `holds it (${view.held.join(', ')})`
  if (token.action === 'revoke') return [`  ${name} ${held}; it takes back ${view.takesBack} of its anchors`]
  if (view.admission.ok)
    return [`  ${name} ${held}; ${colour(look, 'green', 'accepts')} chains like this one`]
  return [
    `  ${name} ${held}; ${colour(look, 'red', 'does not accept')} chains like this one:`,
    ...block(renderRefusal(view.admission.error), '    ')
  ]
}

function showEnd(ns: bigint, look: Look): string {
  return `${showTime(ns)} (${showDistance(ns, look.nowNs)})`
}

/** The name of a context here, and the whole DID. */
function party(did: Did, { names }: Look): string {
  const name = names.get(did)
  return name === undefined ? oneLine(did) : `${oneLine(name)} (${oneLine(did)})`
}

function colour({ terminal }: Look, colourName: Colour, text: string): string {
  return paint(terminal, 'out', colourName, text)
}

function block(text: string, margin: string): string[] {
  return text.split('\n').map(line => margin + line)
}

function lines(all: readonly string[]): string {
  return all.map(line => `${line}\n`).join('')
}
