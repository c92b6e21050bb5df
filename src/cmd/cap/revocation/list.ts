/** `nunet cap revocations`: what is revoked, by whom, since when it is known, and how old the knowledge is. */

import { parseTokenList, type Token } from '../../../lib/ucan/index.ts'
import { bytesToHex, errorCode, isoTime } from '../../../utils/index.ts'
import type { Handler, Invocation } from '../../cli/command.ts'
import { printPlain } from '../../cli/go-print.ts'
import { oneLine } from '../../cli/printable.ts'
import { connectNode, type NodeClient, readOutput } from '../../deployments/connect.ts'
import { listMember, numberMember, recordMember, textMember } from '../../session/call.ts'
import { loadContextFile } from '../../session/context-file.ts'
import { loadSettings } from '../../session/settings.ts'
import type { REVOCATIONS_FLAGS } from './flags.ts'
import { describeKnowledge, type KnowledgeReport, readKnowledge } from './knowledge.ts'

interface Known {
  readonly revocation: Token
  readonly learnt?: string
  readonly from?: string
}

interface Report {
  readonly source: 'node' | 'file'
  readonly knowledge: KnowledgeReport | undefined
  readonly known: readonly Known[]
}

/** `nunet cap revocations`. */
export const capRevocationsHandler: Handler<typeof REVOCATIONS_FLAGS> = {
  async run(invocation) {
    const { cli, flags } = invocation
    const output = readOutput(flags.output)
    const report = await makeReport(invocation)
    const nowMs = cli.clock.nowMs()
    cli.terminal.out(output === 'json' ? `${printPlain(asData(report, nowMs))}\n` : asText(report, nowMs))
    if (report.source === 'file')
      cli.terminal.err(
        `The node does not run: this is what its file says, and how old it is cannot be told. Start it with 'nunet run -c ${flags.node}'.\n`
      )
    return 0
  }
}

/** The running node knows most; without one its file must do. */
async function makeReport({ cli, flags, globals }: Invocation<typeof REVOCATIONS_FLAGS>): Promise<Report> {
  try {
    using node = await connectNode(cli, globals, flags.context)
    const knowledge = readKnowledge(await node.call('/dms/cap/revocation/status', undefined))
    return { source: 'node', knowledge, known: await listAll(node, knowledge.count) }
  } catch (error) {
    if (errorCode(error) !== 'API_UNREACHABLE') throw error
    const file = await loadContextFile(cli, { config: loadSettings(cli, globals), globals, name: flags.node })
    return { source: 'file', knowledge: undefined, known: file.revoke.map(revocation => ({ revocation })) }
  }
}

/** Page after page, until the node has no more. */
async function listAll(node: NodeClient, count: number): Promise<Known[]> {
  const known: Known[] = []
  for (let offset = 0; offset < count; ) {
    const reply = await node.call('/dms/cap/revocation/list', { Offset: offset })
    const entries = listMember(reply, 'Revocations')
    for (const entry of entries) {
      const tokens = parseTokenList(JSON.stringify(recordMember(entry, 'Token')))
      for (const revocation of tokens.ok ? tokens.value : [])
        known.push({ revocation, learnt: textMember(entry, 'Learnt'), from: textMember(entry, 'From') })
    }
    offset += entries.length
    if (entries.length === 0 || offset >= (numberMember(reply, 'Total') ?? 0)) break
  }
  return known
}

function asText({ knowledge, known }: Report, nowMs: number): string {
  const count = known.length === 1 ? '1 revocation' : `${known.length} revocations`
  const age = knowledge === undefined ? '' : `, ${describeKnowledge(knowledge, nowMs)}`
  const turned =
    knowledge === undefined || knowledge.turnedAway === 0
      ? ''
      : `${knowledge.turnedAway} more were turned away: there was no room. See the log of the node.\n`
  return `${count}${age}\n${turned}${known.map(describe).join('')}`
}

function describe({ revocation, learnt, from }: Known): string {
  const { issuer, subject, capabilities } = revocation
  const what = (capabilities ?? []).join(', ') || 'nothing'
  const lines = [
    `${issuer} took back from ${subject}`,
    `    ${what}, until ${endOf(revocation)}`,
    ...(learnt ? [`    known since ${learnt}${from ? ` from ${from}` : ''}`] : [])
  ]
  // Leading spaces are ours; the rest is text from tokens and from the network.
  return `\n${lines.map(line => `${/^ */.exec(line)?.[0] ?? ''}${oneLine(line)}\n`).join('')}`
}

/** Times beyond the calendar as they are. */
function endOf({ expiresAtNs }: Token): string {
  const ms = Number(expiresAtNs / 1_000_000n)
  return ms <= 8.64e15 ? isoTime(ms) : `${expiresAtNs} ns`
}

function asData({ source, knowledge, known }: Report, nowMs: number): unknown {
  const asOf = knowledge?.knownAsOfMs
  return {
    source,
    current: knowledge?.isCurrent,
    known_as_of: asOf === undefined ? undefined : isoTime(asOf),
    age_seconds: asOf === undefined ? undefined : Math.max(0, Math.round((nowMs - asOf) / 1000)),
    turned_away: knowledge?.turnedAway,
    revocations: known.map(({ revocation, learnt, from }) => ({
      issuer: revocation.issuer,
      subject: revocation.subject,
      capabilities: revocation.capabilities ?? [],
      nonce: revocation.nonce === null ? undefined : bytesToHex(revocation.nonce),
      expires: revocation.expiresAtNs,
      learnt,
      from
    }))
  }
}
