/** Starts `daemon-process.ts`, and kills it as soon as its execution runs. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ExecutionHandle, ExecutionRequest } from '../../../src/executor/index.ts'

export interface KilledDaemonOptions {
  readonly type: 'docker' | 'wasm'
  readonly ownerId: string
  readonly stateDirectory: string
  /** Kill it while it stores the handle, before the workload was released. */
  readonly hang?: boolean
}

/** Returns the handle that the daemon had when it was killed with SIGKILL. */
export async function handleOfKilledDaemon(
  options: KilledDaemonOptions,
  request: ExecutionRequest
): Promise<ExecutionHandle> {
  const script = fileURLToPath(new URL('./daemon-process.ts', import.meta.url))
  const task = JSON.stringify({ hang: false, ...options, request })
  const daemon = spawn(process.execPath, [script, task], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    for await (const line of createInterface({ input: daemon.stdout })) return JSON.parse(line)
    throw new Error('the daemon ended without a handle')
  } finally {
    daemon.kill('SIGKILL')
    if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit')
  }
}
