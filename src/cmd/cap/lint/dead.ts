/** Anchors that do nothing: ended, taken back, unreadable, or never of any use. */

import {
  chainExpiry,
  chainOf,
  coversProvide,
  coversRequire,
  impliesCapability,
  remainingSteps,
  type Token
} from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { partyName, quoteName, shellWord, showDistance, showTime } from '../words.ts'
import { idOf, own, reissue, removal } from './mend.ts'
import type { Chart, Entry, Finding, LintCode, Severity } from './types.ts'

/** Everything dead of a context. */
export function findDead(chart: Chart): Finding[] {
  return [
    ...chart.file.setAside.map(entry => unreadable(chart, entry)),
    ...chart.badRevocations.map(entry => badRevocation(chart, entry)),
    ...chart.file.roots.flatMap(root => deadRoot(chart, root)),
    ...chart.entries.flatMap(entry => (entry.verdict.ok ? useless(chart, entry) : [ended(chart, entry)]))
  ]
}

function unreadable(chart: Chart, { list, reason }: Chart['file']['setAside'][number]): Finding {
  return {
    code: 'unreadable',
    severity: 'error',
    context: chart.name,
    list,
    anchor: undefined,
    what: 'an entry cannot be used',
    why: reason.message,
    mend: own(`nunet cap remove -c ${shellWord(chart.name)} --aside`)
  }
}

function badRevocation(chart: Chart, { token, verdict }: Chart['badRevocations'][number]): Finding {
  return {
    code: 'invalid',
    severity: 'error',
    context: chart.name,
    list: 'revoke',
    anchor: idOf(token),
    what: 'a revocation does not verify, so it revokes nothing',
    why: verdict.ok ? '' : verdict.error.message,
    mend: { command: `nunet cap revoke -c <context> '<the token>'`, by: token.issuer }
  }
}

function deadRoot(chart: Chart, root: Did): Finding[] {
  const say = (code: LintCode, severity: Severity, what: string, why: string): Finding[] => [
    {
      code,
      severity,
      context: chart.name,
      list: 'roots',
      anchor: root,
      what,
      why,
      mend: own(`nunet cap remove -c ${shellWord(chart.name)} --root ${root}`)
    }
  ]
  if (root === chart.file.did)
    return say('idle-root', 'info', 'the owner is its own root', 'the owner is trusted anyway')
  if (!chart.hasKey(root))
    return say('idle-root', 'error', 'the key of a root cannot be had', 'nothing it signs can be verified')
  return []
}

/** A token that does not verify now. What lasts in its place makes it harmless. */
function ended(chart: Chart, entry: Entry): Finding {
  const { token, verdict } = entry
  const reason = verdict.ok ? { code: '', message: '' } : verdict.error
  const isReplaced = replacements(chart, entry).length > 0
  const base = { context: chart.name, list: entry.list, anchor: idOf(token), why: reason.message }
  if (reason.code === 'UCAN_EXPIRED') {
    const end = chainExpiry(token)
    const what = `${describe(chart, entry)} ended ${showTime(end)} (${showDistance(end, chart.nowNs)})`
    return {
      ...base,
      code: 'expired',
      severity: isReplaced ? 'warning' : 'error',
      what,
      mend: isReplaced ? removal(chart, entry) : reissue(chart, entry)
    }
  }
  if (reason.code === 'UCAN_REVOKED') {
    const isLoss = entry.list === 'provide' && !isReplaced
    const what = `${describe(chart, entry)} was taken back`
    return {
      ...base,
      code: 'revoked',
      severity: isLoss ? 'error' : 'warning',
      what,
      mend: removal(chart, entry)
    }
  }
  return {
    ...base,
    code: 'invalid',
    severity: 'error',
    what: `${describe(chart, entry)} does not verify`,
    mend: removal(chart, entry)
  }
}

/** Live anchors that allow all that this one would, had it not ended. */
export function replacements(chart: Chart, { list, token }: Entry): Entry[] {
  const covers = list === 'require' ? coversRequire : coversProvide
  const endless: Token = { ...token, expiresAtNs: 0n }
  return chart.entries.filter(
    other => other.isLive && other.list === list && other.token !== token && covers(other.token, endless)
  )
}

/** Rules for a token that verifies; the first that it breaks makes the others idle. */
function useless(chart: Chart, entry: Entry): Finding[] {
  const { token, list } = entry
  const say = (code: LintCode, severity: Severity, what: string, why: string): Finding[] => [
    {
      code,
      severity,
      context: chart.name,
      list,
      anchor: idOf(token),
      what: `${describe(chart, entry)} ${what}`,
      why,
      mend: removal(chart, entry)
    }
  ]
  if (token.action !== 'delegate') {
    const why = "only tokens with the action 'delegate' can be built on"
    return say('invalid', 'error', `has the action ${quoteName(token.action)}`, why)
  }
  if (list === 'provide') {
    if (token.subject !== chart.file.did) {
      const why = `only ${partyName(token.subject, chart.names)} can use it`
      return say('not-for-owner', 'error', 'was given to somebody else', why)
    }
    if (remainingSteps(token) === 0)
      return say('used-up', 'error', 'cannot be used', 'a depth in its chain is used up')
    if (token.audience === chart.file.did)
      return say(
        'only-for-oneself',
        'warning',
        'is for use on its own holder only',
        'nobody needs a right to himself'
      )
  }
  if ((token.capabilities ?? []).length === 0) {
    const why = token.topics.length > 0 ? 'topics without a capability allow nothing' : 'it allows nothing'
    return say('no-capability', 'warning', 'has no capabilities', why)
  }
  return [...topicless(token, say), ...unknownOrigin(chart, entry, say)]
}

type Say = (code: LintCode, severity: Severity, what: string, why: string) => Finding[]

function topicless({ capabilities, topics }: Token, say: Say): Finding[] {
  if (topics.length > 0 || !capabilities?.every(name => impliesCapability('/broadcast', name))) return []
  return say('no-topic', 'warning', 'is for broadcasts, without a topic', 'no broadcast is without a topic')
}

function unknownOrigin(chart: Chart, { list, token }: Entry, say: Say): Finding[] {
  const origin = chainOf(token).at(-1)?.issuer ?? token.issuer
  if (chart.trusted.has(origin)) return []
  const name = partyName(origin, chart.names)
  return list === 'require'
    ? say(
        'unknown-origin',
        'warning',
        `comes from ${name}`,
        'whoever issued it can take it back, and nobody here trusts them'
      )
    : say('unknown-origin', 'info', `comes from ${name}`, 'you use their word, but nobody here accepts it')
}

/** `require anchor for acme (did:key:z6Mk…)`. */
export function describe(chart: Chart, { list, token }: Entry): string {
  const party =
    list === 'require'
      ? `for ${partyName(token.subject, chart.names)}`
      : `from ${partyName(token.issuer, chart.names)}`
  return `${list} anchor ${party}`
}

/** A require anchor for somebody of this machine who may do everything anyway. A foreign root is itself doubtful. */
export function isTrustedFully({ file, names }: Chart, { list, token: { subject } }: Entry): boolean {
  return list === 'require' && (subject === file.did || (file.roots.includes(subject) && names.has(subject)))
}
