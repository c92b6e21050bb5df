import { globSync } from 'node:fs'
import { relative } from 'node:path'
import type { EventData } from 'node:test'

/** What no test ran, one line each. A file that no test even loaded is reported whole, unless it holds types only. */
export function uncovered(report: EventData.TestCoverage, sources: string): string[] {
  const seen = new Set(report.summary.files.map(file => file.path))
  const unloaded = globSync(`${sources}/lib/**/*.ts`)
    .filter(file => !file.endsWith('/types.ts') && !seen.has(`${process.cwd()}/${file}`) && !seen.has(file))
    .map(file => `${file} is loaded by no test of lib`)
  return [...unloaded, ...report.summary.files.flatMap(gapsOf)]
}

function gapsOf({
  path,
  branches,
  functions,
  lines
}: EventData.TestCoverage['summary']['files'][number]): string[] {
  const name = relative(process.cwd(), path)
  const gap = (what: string, items: readonly { line: number; count: number }[]): string[] => {
    const never = [...new Set(items.filter(item => item.count === 0).map(item => item.line))]
    return never.length === 0 ? [] : [`${name}: no test of lib runs the ${what} at line ${never.join(', ')}`]
  }
  return [...gap('function', functions), ...gap('branch', branches), ...gap('code', lines)]
}
