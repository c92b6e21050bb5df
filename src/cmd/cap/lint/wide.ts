/** Anchors that let others do more than can be meant. Only what this context accepts is judged: require anchors and roots. */

import { type Capability, chainExpiry, impliesCapability } from '../../../lib/ucan/index.ts'
import { CAPABILITIES, TAKES_OVER } from '../capability-table.ts'
import { partyName, quoteName, shellWord, showDistance, showTime } from '../words.ts'
import { describe, isTrustedFully } from './dead.ts'
import { idOf, own, reissue, removal } from './mend.ts'
import type { Chart, Entry, Finding } from './types.ts'

/** Members may pass a grant on to their nodes, and these to nobody: what most organisations need. */
const USUAL_DEPTH = 3n

/** What is too wide in a context. */
export function findWide(chart: Chart): Finding[] {
  const foreign = chart.entries.filter(
    entry =>
      entry.list === 'require' &&
      entry.isLive &&
      !chart.names.has(entry.token.subject) &&
      !isTrustedFully(chart, entry)
  )
  return [
    ...chart.file.roots.flatMap(root => (isForeign(chart, root) ? [foreignRoot(chart, root)] : [])),
    ...foreign.flatMap(entry => tooMuch(chart, entry))
  ]
}

/** Beside the power over everything nothing else about an anchor matters. */
function tooMuch(chart: Chart, entry: Entry): Finding[] {
  const power = tooPowerful(chart, entry)
  if (power.some(({ code }) => code === 'gives-control')) return power
  return [
    ...power,
    ...tooManyTopics(chart, entry),
    ...tooLong(chart, entry),
    ...withoutDepth(chart, entry),
    ...withoutAudience(chart, entry)
  ]
}

function isForeign(chart: Chart, root: Chart['file']['did']): boolean {
  return !chart.names.has(root) && chart.hasKey(root)
}

function foreignRoot(chart: Chart, root: Chart['file']['did']): Finding {
  return {
    code: 'foreign-root',
    severity: 'warning',
    context: chart.name,
    list: 'roots',
    anchor: root,
    what: `root anchor for ${partyName(root, chart.names)}`,
    why: 'a root may do everything, and this one is no identity of this machine',
    mend: own(`nunet cap remove -c ${shellWord(chart.name)} --root ${root}`)
  }
}

/** Whether two names stand for something in common: one is below the other. */
function meets(a: Capability, b: Capability): boolean {
  return impliesCapability(a, b) || impliesCapability(b, a)
}

function tooPowerful(chart: Chart, entry: Entry): Finding[] {
  const names = entry.token.capabilities ?? []
  const control = names.find(name => TAKES_OVER.some(taken => impliesCapability(name, taken)))
  const owned = names.find(name =>
    CAPABILITIES.some(row => row.reach === 'owner' && row.name !== '/' && meets(name, row.name))
  )
  const found = control ?? owned
  if (found === undefined) return []
  const isControl = control !== undefined
  return [
    {
      code: isControl ? 'gives-control' : 'gives-owner-rights',
      severity: isControl ? 'error' : 'warning',
      context: chart.name,
      list: entry.list,
      anchor: idOf(entry.token),
      what: `${describe(chart, entry)} covers ${quoteName(found)}`,
      why: isControl
        ? 'it lets its members change whom this context trusts, so give themselves everything'
        : "it lets its members do what is the owner's to do; see 'nunet cap help-caps'",
      mend: removal(chart, entry)
    }
  ]
}

function tooManyTopics(chart: Chart, entry: Entry): Finding[] {
  if (!entry.token.topics.includes('/')) return []
  return [
    {
      code: 'wide-topic',
      severity: 'warning',
      context: chart.name,
      list: entry.list,
      anchor: idOf(entry.token),
      what: `${describe(chart, entry)} covers every topic`,
      why: 'topics of other networks are among them',
      mend: removal(chart, entry)
    }
  ]
}

function tooLong(chart: Chart, entry: Entry): Finding[] {
  const end = chainExpiry(entry.token)
  if (end - chart.nowNs <= chart.limits.maxLifeNs) return []
  return [
    {
      code: 'long-lived',
      severity: 'warning',
      context: chart.name,
      list: entry.list,
      anchor: idOf(entry.token),
      what: `${describe(chart, entry)} ends ${showTime(end)} (${showDistance(end, chart.nowNs)})`,
      why: 'nobody can tell today who should be trusted then',
      mend: reissue(chart, entry, { depth: entry.token.depth })
    }
  ]
}

function withoutDepth(chart: Chart, entry: Entry): Finding[] {
  if (entry.token.depth > 0n) return []
  return [
    {
      code: 'no-depth',
      severity: 'info',
      context: chart.name,
      list: entry.list,
      anchor: idOf(entry.token),
      what: `${describe(chart, entry)} has no depth`,
      why: 'its members may pass it on to anybody, and those to others, without end',
      mend: reissue(chart, entry, { depth: USUAL_DEPTH })
    }
  ]
}

/** Capabilities that only the node's own actor serves; deployments have actors of their own, with other DIDs. */
const OF_THE_NODE: readonly Capability[] = ['/public', '/dms/node', '/dms/cap']

/** A broadcast is for anybody, so an anchor with topics cannot have an audience. */
function withoutAudience(chart: Chart, entry: Entry): Finding[] {
  const { audience, topics, capabilities } = entry.token
  const isOfNode = capabilities?.every(name => OF_THE_NODE.some(held => impliesCapability(held, name)))
  if (audience !== undefined || topics.length > 0 || !isOfNode) return []
  return [
    {
      code: 'no-audience',
      severity: 'info',
      context: chart.name,
      list: entry.list,
      anchor: idOf(entry.token),
      what: `${describe(chart, entry)} has no audience`,
      why: 'only this node serves what it covers, so it could be limited to this node',
      mend: reissue(chart, entry, { audience: chart.file.did })
    }
  ]
}
