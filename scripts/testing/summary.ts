import { isForbiddenSkip } from './options.ts'
import type { Counts } from './run-kind.ts'

/** How a whole run ended. */
export interface Outcome {
  readonly text: string
  readonly succeeded: boolean
}

/**
 * The end of the output: what was skipped and why, node's summary over all kinds, and one plain line. A skip
 * that a required part forbids counts as failed.
 */
export function summarise(counts: readonly Counts[], required: readonly string[]): Outcome {
  const total = (pick: (one: Counts) => number): number => counts.reduce((sum, one) => sum + pick(one), 0)
  const skips = counts.flatMap(one => one.skips)
  const forbidden = skips.filter(({ reason }) => isForbiddenSkip(reason, required))
  const failures = counts.flatMap(one => one.failures)
  const passed = total(one => one.passed)
  const failed = total(one => one.failed) + forbidden.length
  const skipped = skips.length - forbidden.length
  const lines = [
    ...section('SKIPPED', skips.filter(skip => !forbidden.includes(skip)).map(describe)),
    ...section('MISSING although required', forbidden.map(describe)),
    ...section('FAILED', failures),
    '',
    `ℹ tests ${passed + failed + skipped}`,
    `ℹ suites ${total(one => one.suites)}`,
    `ℹ pass ${passed}`,
    `ℹ fail ${failed}`,
    `ℹ skipped ${skipped}`,
    `ℹ duration_ms ${Math.round(total(one => one.durationMs))}`,
    `${passed} passed, ${failed} failed, ${skipped} skipped`
  ]
  return { text: `${lines.join('\n')}\n`, succeeded: failed === 0 && passed > 0 }
}

function describe({ name, file, reason }: Counts['skips'][number]): string {
  return `${name} (${file}): ${reason}`
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', `${title} (${items.length})`, ...items.map(item => `  ${item}`)]
}
