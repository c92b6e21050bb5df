import { globSync } from 'node:fs'
import { relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { uncovered } from './coverage-gaps.ts'
import type { Kind, TestOptions } from './options.ts'

/** A test that did not run. */
export interface Skip {
  readonly name: string
  readonly file: string
  readonly reason: string
}

/** Real counts of one run, from node's own summary. */
export interface Counts {
  readonly files: number
  readonly suites: number
  readonly passed: number
  readonly failed: number
  readonly skips: readonly Skip[]
  /** Names of failed tests with their files. */
  readonly failures: readonly string[]
  readonly durationMs: number
}

/** Longest run of one file. Nothing here waits for real time, so more means that it hangs. */
const FILE_LIMIT_MS: Readonly<Record<Kind, number>> = {
  unit: 120_000,
  contract: 180_000,
  property: 180_000,
  integration: 300_000,
  e2e: 600_000
}

/** Files at once. End-to-end tests start several daemons each and measure time, so they run alone. */
const CONCURRENCY: Readonly<Record<Kind, number>> = {
  unit: 2,
  contract: 2,
  property: 2,
  integration: 2,
  e2e: 1
}

/** Test files of a kind that the filters let through, sorted. */
export function filesOf(
  kind: Kind,
  { directory, filters }: Pick<TestOptions, 'directory' | 'filters'>
): string[] {
  return globSync(`${directory}/${kind}/**/*.test.ts`)
    .filter(file => filters.length === 0 || filters.some(filter => file.includes(filter)))
    .sort()
}

/** How much longer a nightly run may take: it makes fifty times the cases of a property. */
const NIGHTLY_FACTOR = 40

/**
 * Runs the files, shows them as they go, and counts. With `covers`, a folder of sources, each piece of its `lib` that
 * no file runs is a failure as well.
 */
export async function runKind(
  kind: Kind,
  files: string[],
  options: Pick<TestOptions, 'namePatterns' | 'nightly'> & { readonly covers?: string },
  signal: AbortSignal
): Promise<Counts> {
  const { covers } = options
  const skips: Skip[] = []
  const failures: string[] = []
  let totals: { suites: number; passed: number; failed: number; durationMs: number } | undefined
  const stream = run({
    files,
    concurrency: CONCURRENCY[kind],
    timeout: FILE_LIMIT_MS[kind] * (options.nightly ? NIGHTLY_FACTOR : 1),
    signal,
    ...(covers === undefined ? {} : { coverage: true, coverageIncludeGlobs: [`${covers}/lib/**`] }),
    ...(options.namePatterns.length > 0 ? { testNamePatterns: [...options.namePatterns] } : {})
  })
  stream.on('test:pass', event => {
    if (event.skip === undefined && event.todo === undefined) return
    const reason = event.skip ?? event.todo
    skips.push({
      name: event.name,
      file: shortPath(event.file),
      reason: typeof reason === 'string' && reason !== '' ? reason : 'without a reason'
    })
  })
  stream.on('test:fail', event => {
    if (event.details.type !== 'suite') failures.push(`${event.name} (${shortPath(event.file)})`)
  })
  stream.on('test:coverage', report => {
    if (covers !== undefined) failures.push(...uncovered(report, covers))
  })
  stream.on('test:summary', event => {
    if (event.file !== undefined) return // one file's; the last one is for all
    const { suites, tests, passed, skipped, todo } = event.counts
    totals = { suites, passed, failed: tests - passed - skipped - todo, durationMs: event.duration_ms }
  })
  for await (const chunk of stream.compose(new spec())) process.stdout.write(chunk)
  if (totals === undefined) throw new Error(`node reported no summary for the ${kind} tests`)
  return { files: files.length, ...totals, failed: Math.max(totals.failed, failures.length), skips, failures }
}

function shortPath(file: string | undefined): string {
  return file === undefined ? '?' : relative(process.cwd(), file)
}
