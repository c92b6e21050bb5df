import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** One tool that must be satisfied before the tests mean anything. */
export interface Check {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

export const TYPE_CHECK: Check = { name: 'type check', command: 'node_modules/.bin/tsc', args: ['-p', '.'] }

export const LINT: Check = {
  name: 'lint and format',
  command: 'node_modules/.bin/biome',
  args: ['check', '--diagnostic-level=warn', '--max-diagnostics=50']
}

export const ARCHITECTURE: Check = {
  name: 'architecture',
  command: process.execPath,
  args: ['--test', 'test/unit/architecture.test.ts']
}

/** Runs the checks one after another, all of them, and names those that failed. */
export async function runChecks(checks: readonly Check[], signal: AbortSignal): Promise<string[]> {
  const failed: string[] = []
  for (const { name, command, args } of checks) {
    process.stdout.write(`▶ ${name}\n`)
    const child = spawn(command, args, { stdio: 'inherit', signal })
    const [code] = await once(child, 'exit')
    process.stdout.write(`${code === 0 ? '✔' : '✖'} ${name}\n`)
    if (code !== 0) failed.push(name)
  }
  return failed
}
