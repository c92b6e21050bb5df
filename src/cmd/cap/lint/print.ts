import type { Did } from '../../../types/index.ts'
import { oneLine } from '../../cli/printable.ts'
import { type Colour, paint } from '../../cli/style.ts'
import type { Terminal } from '../../cli/terminal.ts'
import { partyName } from '../words.ts'
import type { Finding, Severity } from './types.ts'

const COLOURS: Readonly<Record<Severity, Colour>> = { error: 'red', warning: 'yellow', info: 'dim' }

/** One finding after the other: what, why, and what to do. */
export function printFindings(
  findings: readonly Finding[],
  terminal: Terminal,
  names: ReadonlyMap<Did, string>
): string {
  return findings.map(finding => printOne(finding, terminal, names)).join('')
}

function printOne(finding: Finding, terminal: Terminal, names: ReadonlyMap<Did, string>): string {
  const { severity, code, context, anchor, what, why, mend } = finding
  const head = paint(terminal, 'out', COLOURS[severity], severity.padEnd(7))
  const id = anchor === undefined || anchor.startsWith('did:') ? '' : ` ${anchor}`
  const by = mend.by === undefined ? 'do' : `ask ${partyName(mend.by, names)} for`
  return [
    `${head}  ${oneLine(context)}: ${oneLine(what)}  [${code}${id}]`,
    `         why: ${oneLine(why)}`,
    `         ${by}: ${oneLine(mend.command)}`
  ]
    .map(line => `${line}\n`)
    .join('')
}
