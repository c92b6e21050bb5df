import type { Cli, Handler } from '../cli/command.ts'
import { printPlain } from '../cli/go-print.ts'
import { formatAge, formatTable, shortId } from '../cli/table.ts'
import { connectNode, readOutput } from '../deployments/connect.ts'
import { persist } from '../deployments/log-stream.ts'
import { askHealth, tellHealth } from '../deployments/node-health.ts'
import { type AllocationRow, collectDeployments, type DeploymentRow, timeOf } from './collect.ts'
import type { PS_FLAGS } from './flags.ts'

/** Pause between two looks with --watch. Milliseconds. */
const WATCH_PAUSE_MS = 2000
/** Clears the screen and puts the cursor in its corner. */
const CLEAR = '\u001b[H\u001b[2J'
const HEAD = ['DEPLOYMENT', 'STATUS', 'AGE', 'ALLOCATION', 'STATUS', 'PROVIDER', 'EXIT', 'NOTE']

/** `nunet ps`. */
export const psHandler: Handler<typeof PS_FLAGS> = {
  async run({ cli, flags, globals }) {
    const output = readOutput(flags.output)
    const { clock, terminal, signal } = cli
    using node = await connectNode(cli, globals, flags.context)
    const health = askHealth(node)
    let shown: string | undefined
    for (;;) {
      const rows = await persist(clock, flags.watch, signal, () =>
        collectDeployments(node, clock.nowMs(), flags.all)
      )
      const text = output === 'json' ? formatJson(rows, flags.watch) : formatRows(rows, clock.nowMs())
      if (!flags.watch) {
        if (rows.length === 0) terminal.err('no deployments\n')
        terminal.out(text)
        tellHealth(cli, await health)
        return 0
      }
      // Compared without the age, which is another every time.
      const state = formatJson(rows, true)
      if (state !== shown) show(cli, text)
      shown = state
      await clock.sleep(WATCH_PAUSE_MS, { signal })
    }
  }
}

function show({ terminal }: Cli, text: string): void {
  terminal.out(terminal.outIsTerminal ? CLEAR + text : text)
}

/** With --watch one line per change, otherwise indented. */
function formatJson(rows: readonly DeploymentRow[], compact: boolean): string {
  const value = rows.map(row => ({
    id: row.id,
    status: row.status,
    created_at: row.createdAt,
    ...(row.error === '' ? {} : { error: row.error }),
    allocations: row.allocations.map(({ exitCode, error, ...rest }) => ({
      ...rest,
      exit_code: exitCode,
      error: error === '' ? undefined : error
    }))
  }))
  return `${printPlain(value, compact ? 0 : 2)}\n`
}

function formatRows(rows: readonly DeploymentRow[], nowMs: number): string {
  if (rows.length === 0) return ''
  return formatTable(
    HEAD,
    rows.flatMap(row => deploymentLines(row, nowMs))
  )
}

function deploymentLines(row: DeploymentRow, nowMs: number): string[][] {
  const own = [
    row.id.slice(0, 12),
    row.status,
    row.createdAt === '' ? '' : formatAge(nowMs - timeOf(row.createdAt, nowMs))
  ]
  if (row.allocations.length === 0) return [[...own, '-', '', '', '', row.error]]
  return row.allocations.map((allocation, index) => [
    ...(index === 0 ? own : ['', '', '']),
    allocation.name,
    allocation.status,
    shortId(allocation.peer),
    allocation.exitCode === undefined ? '' : String(allocation.exitCode),
    noteOf(allocation)
  ])
}

/** Published ports, and what went wrong. */
function noteOf({ ports, error }: AllocationRow): string {
  const published = Object.entries(ports).map(([from, to]) => `${from}→${to}`)
  return [...published, ...(error === '' ? [] : [error])].join(' ')
}
