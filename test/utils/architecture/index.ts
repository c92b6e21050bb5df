/** The architecture checker: the house rules as a pure function over sources. */

import { EXCEPTIONS, type Exception, SIDE_DOORS } from './layers.ts'
import {
  checkCycles,
  checkDocumentation,
  checkImports,
  checkLength,
  checkNames,
  domainOf,
  type Sources,
  type Violation
} from './rules.ts'

export { EXCEPTIONS, type Exception, LAYERS, type Rule } from './layers.ts'
export { domainOf, type Sources, type Violation } from './rules.ts'

/** All broken rules, less the exceptions. */
export function checkArchitecture(
  sources: Sources,
  exceptions: readonly Exception[] = EXCEPTIONS
): Violation[] {
  const found: Violation[] = [...checkCycles(sources)]
  for (const [file, text] of sources) {
    found.push(...checkImports(file, text), ...checkNames(file, text), ...checkLength(file, text))
    if (isDoor(file)) found.push(...checkDocumentation(sources, file))
  }
  const allowed = (violation: Violation): boolean =>
    exceptions.some(({ file, rules }) => file === violation.file && rules.includes(violation.rule))
  return [...found.filter(violation => !allowed(violation)), ...unused(sources, found, exceptions)]
}

function isDoor(file: string): boolean {
  const domain = domainOf(file)
  return SIDE_DOORS.has(file) || (domain !== undefined && file === `src/${domain.name}/index.ts`)
}

/** An exception nobody needs any more would hide the next mistake. */
function unused(
  sources: Sources,
  found: readonly Violation[],
  exceptions: readonly Exception[]
): Violation[] {
  return exceptions.flatMap(({ file, rules }) =>
    rules
      .filter(
        rule =>
          sources.size > 0 && !found.some(violation => violation.file === file && violation.rule === rule)
      )
      .map(rule => ({ rule, file, line: 1, message: 'the exception for this file is not needed' }))
  )
}

/** One line per violation. */
export function describeViolations(violations: readonly Violation[]): string {
  return violations.map(({ rule, file, line, message }) => `${file}:${line} [${rule}] ${message}`).join('\n')
}
