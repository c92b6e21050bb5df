/**
 * `npm test`: type check, lint, then all tests by kind, the quick kinds first. Ends with what was skipped and why,
 * node's summary, and the line `N passed, N failed, N skipped`. See `--help`.
 */

import { LINT, runChecks, TYPE_CHECK } from './testing/checks.ts'
import { isCovering, libTests } from './testing/lib-coverage.ts'
import { readOptions, type TestOptions, USAGE } from './testing/options.ts'
import { type Counts, filesOf, runKind } from './testing/run-kind.ts'
import { summarise } from './testing/summary.ts'

/** Generated cases for each property in a nightly run. */
const NIGHTLY_RUNS = 100_000

async function main(options: TestOptions, signal: AbortSignal): Promise<boolean> {
  // Tests may look at it to fail early, with a better message than a skip.
  process.env['NUNET_REQUIRE'] = options.required.join(',')
  if (options.nightly) process.env['NUNET_PROPERTY_RUNS'] ??= String(NIGHTLY_RUNS)
  const failedChecks = options.fast ? [] : await runChecks([TYPE_CHECK, LINT], signal)
  const counts: Counts[] = []
  const covered = isCovering(options) ? libTests(options) : []
  if (covered.length > 0) {
    process.stdout.write(`\n━━ lib, with coverage: ${covered.length} files\n`)
    counts.push(await runKind('property', covered, { ...options, covers: options.sources }, signal))
  }
  for (const kind of options.kinds) {
    if (signal.aborted) break
    const files = filesOf(kind, options).filter(file => !covered.includes(file))
    if (files.length === 0) continue
    process.stdout.write(`\n━━ ${kind}: ${files.length} files\n`)
    counts.push(await runKind(kind, files, options, signal))
  }
  const { text, succeeded } = summarise(counts, options.required)
  if (counts.length === 0) process.stdout.write('no test file matches\n')
  if (failedChecks.length > 0) process.stdout.write(`\nFAILED before the tests: ${failedChecks.join(', ')}\n`)
  process.stdout.write(text)
  return succeeded && failedChecks.length === 0 && !signal.aborted
}

function optionsOrUsage(): TestOptions | undefined {
  try {
    const options = readOptions(process.argv.slice(2), process.env)
    if (options !== 'help') return options
    process.stdout.write(USAGE)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`)
    process.exitCode = 1
  }
  return undefined
}

const options = optionsOrUsage()
if (options !== undefined) {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort())
  process.exitCode = (await main(options, controller.signal)) ? 0 : 1
}
