/**
 * The gate in front of the security code: every line, branch and function of `src/lib` is run by the tests of `lib`.
 * Those run as one group of their own then, so that nothing runs twice.
 */

import type { Kind, TestOptions } from './options.ts'
import { filesOf } from './run-kind.ts'

/** Kinds with tests of `lib`. */
const COVERING: readonly Kind[] = ['unit', 'property']

/** Whether all tests of `lib` are to run, so that their coverage means something. */
export function isCovering({ filters, namePatterns, kinds }: TestOptions): boolean {
  const isWhole = filters.length === 0 || (filters.length === 1 && filters[0] === 'lib')
  return isWhole && namePatterns.length === 0 && COVERING.every(kind => kinds.includes(kind))
}

export function isLibTest(file: string): boolean {
  return /\/(unit|property)\/lib\//.test(file)
}

/** The tests of `lib`, of all kinds. */
export function libTests(options: TestOptions): string[] {
  return COVERING.flatMap(kind => filesOf(kind, options)).filter(isLibTest)
}
