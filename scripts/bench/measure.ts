/** Timing of whole processes, and statistics that survive a noisy machine: pairs in turn, medians. */

import { spawn } from 'node:child_process'

export interface Run {
  readonly ms: number
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export async function timeProcess(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}
): Promise<Run> {
  const started = performance.now()
  const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { ms: performance.now() - started, code, stdout, stderr }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[middle - 1] ?? Number.NaN, sorted[middle] ?? Number.NaN]
  return sorted.length % 2 === 1 ? high : (low + high) / 2
}

/** Runs two things in turn, so that a drift of the machine meets both alike. One warm-up of each is not counted. */
export async function inTurn(
  rounds: number,
  a: () => Promise<number>,
  b: () => Promise<number>
): Promise<{ a: number; b: number; ratio: number }> {
  await a()
  await b()
  const pairs: [number, number][] = []
  for (let round = 0; round < rounds; round++) pairs.push([await a(), await b()])
  return {
    a: median(pairs.map(([first]) => first)),
    b: median(pairs.map(([, second]) => second)),
    ratio: median(pairs.map(([first, second]) => first / second))
  }
}

/** Rounds before counting starts: a daemon runs for days, so its code is compiled when it matters. */
const WARM_UP_ROUNDS = 60

/**
 * Costs of short things in µs a call, measured in turn: in each round every one runs a small batch, the order turning
 * round by round, and the median over the rounds counts. Ratios are medians of the ratios within each round, so a
 * machine that is busy for a while slows both sides alike.
 */
export function inSmallTurns<Name extends string>(
  rounds: number,
  batch: number,
  things: Readonly<Record<Name, (index: number) => unknown>>
): { us: Record<Name, number>; ratio: (a: Name, b: Name) => number } {
  const names = Object.keys(things) as Name[] // the keys of the record given
  const costs = Object.fromEntries(names.map(name => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + WARM_UP_ROUNDS) % names.length]
      if (name === undefined) continue
      const run = things[name]
      const started = performance.now()
      for (let index = 0; index < batch; index++) run(index)
      if (round >= 0) costs[name].push(((performance.now() - started) * 1000) / batch)
    }
  }
  const us = Object.fromEntries(names.map(name => [name, median(costs[name])])) as Record<Name, number>
  return { us, ratio: (a, b) => median(costs[a].map((cost, round) => cost / (costs[b][round] ?? cost))) }
}

export function formatUs(us: number): string {
  return us < 10 ? `${us.toFixed(1)} µs` : `${us.toFixed(0)} µs`
}

export function formatMs(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(0)} ms`
}

/** One line of the table: what, ours, what it is held against, the ratio, the target. */
export interface Row {
  readonly what: string
  readonly ours: string
  readonly against: string
  readonly ratio: string
  readonly target: string
  readonly isMet: boolean | undefined
}

export function printTable(rows: readonly Row[]): void {
  const header: Record<keyof Row, string> = {
    what: 'what',
    ours: 'ours',
    against: 'against',
    ratio: 'ratio',
    target: 'target',
    isMet: ''
  }
  const columns = ['what', 'ours', 'against', 'ratio', 'target', 'isMet'] as const
  const cells = [header, ...rows].map(row => columns.map(column => verdict(row[column])))
  const widths = columns.map((_, index) => Math.max(...cells.map(line => line[index]?.length ?? 0)))
  for (const [index, line] of cells.entries()) {
    console.log(`| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    if (index === 0) console.log(`|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`)
  }
}

function verdict(cell: string | boolean | undefined): string {
  if (cell === undefined) return '–'
  return typeof cell === 'string' ? cell : cell ? 'met' : 'MISSED'
}
