/** Anchors that end soon, and anchors that others make superfluous. */

import { chainExpiry, coversProvide, coversRequire } from '../../../lib/ucan/index.ts'
import { partyName, showDistance, showTime } from '../words.ts'
import { describe, isTrustedFully, replacements } from './dead.ts'
import { idOf, reissue, removal } from './mend.ts'
import type { Chart, Entry, Finding } from './types.ts'

/** What ends within the limits, and has nothing that lasts longer in its place. */
export function findEnding(chart: Chart): Finding[] {
  return chart.entries.flatMap(entry => {
    const end = chainExpiry(entry.token)
    const left = end - chart.nowNs
    if (!entry.isLive || left > chart.limits.warnNs || isTrustedFully(chart, entry)) return []
    const isOutlived = replacements(chart, entry).some(
      other => chainExpiry(other.token) - chart.nowNs > chart.limits.warnNs
    )
    if (isOutlived) return []
    const why =
      entry.list === 'require'
        ? 'its members will be refused from then on'
        : 'what rests on it will be refused by others from then on'
    return [
      {
        code: 'ends-soon',
        severity: left <= chart.limits.errorNs ? 'error' : 'warning',
        context: chart.name,
        list: entry.list,
        anchor: idOf(entry.token),
        what: `${describe(chart, entry)} ends ${showTime(end)} (${showDistance(end, chart.nowNs)})`,
        why,
        mend: reissue(chart, entry)
      }
    ]
  })
}

/** Tokens of a list compared with each other; the work grows with the square of it. */
export const MAX_COMPARED = 2000

/** What could be removed without any effect. */
export function findShadowed(chart: Chart): Finding[] {
  return [
    ...shadowedByTrust(chart),
    ...shadowedByAnchors(chart, 'require'),
    ...shadowedByAnchors(chart, 'provide')
  ]
}

/** A require anchor for somebody who is trusted for everything. */
function shadowedByTrust(chart: Chart): Finding[] {
  return chart.entries.flatMap(entry => {
    const { subject } = entry.token
    if (!entry.isLive || !isTrustedFully(chart, entry)) return []
    const why = `${partyName(subject, chart.names)} is ${subject === chart.file.did ? 'the owner' : 'a root'} and may do everything`
    return [shadowed(chart, entry, why)]
  })
}

function shadowedByAnchors(chart: Chart, list: Entry['list']): Finding[] {
  const covers = list === 'require' ? coversRequire : coversProvide
  const entries = chart.entries
    .filter(entry => entry.list === list && entry.isLive && !isTrustedFully(chart, entry))
    .slice(0, MAX_COMPARED)
  return entries.flatMap((entry, index) => {
    const other = entries.find(
      (candidate, at) =>
        at !== index &&
        !isRemovedWith(candidate, entry) &&
        covers(candidate.token, entry.token) &&
        // Of two that cover each other the first stays.
        (at < index || !covers(entry.token, candidate.token))
    )
    if (other === undefined) return []
    return [
      shadowed(chart, entry, `anchor ${idOf(other.token) ?? 'without id'} allows all of it, for as long`)
    ]
  })
}

/** Anchors are removed by issuer and nonce (identity-and-actors §7.2): of two that share both none goes alone. */
function isRemovedWith(a: Entry, b: Entry): boolean {
  return a.token.issuer === b.token.issuer && idOf(a.token) === idOf(b.token)
}

function shadowed(chart: Chart, entry: Entry, why: string): Finding {
  return {
    code: 'shadowed',
    severity: 'info',
    context: chart.name,
    list: entry.list,
    anchor: idOf(entry.token),
    what: `${describe(chart, entry)} has no effect`,
    why,
    mend: removal(chart, entry)
  }
}
