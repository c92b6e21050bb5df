/** Starts the runner: a detached Node process with nothing but what it is handed. */

import { type ChildProcess, spawn } from 'node:child_process'
import { errorMessage } from '../../utils/index.ts'
import { ExecutorError } from '../errors.ts'
import { placeOf } from './bundle-path.ts'
import { MAX_CODE_MB, MAX_TABLE_ENTRIES, RUNNER_HEAP_MB } from './constants.ts'
import { processStart } from './process-identity.ts'
import { GO } from './runner-protocol.ts'

/** Flags that lock the runner up. Network, file writes, child processes, add-ons and FFI are denied by `--permission` alone. */
export function runnerFlags(root: string, memoryPages: number): string[] {
  return [
    '--permission',
    `--allow-fs-read=${root}`, // its own program; file descriptors it inherits need no permission
    '--allow-worker',
    '--no-warnings',
    '--disable-sigusr1', // no inspector for a signal
    `--max-old-space-size=${RUNNER_HEAP_MB}`,
    `--wasm-max-mem-pages=${memoryPages}`,
    `--wasm-max-table-size=${MAX_TABLE_ENTRIES}`,
    `--wasm-max-committed-code-mb=${MAX_CODE_MB}`,
    '--v8-pool-size=1' // one thread for compiling, however many cores the machine has
  ]
}

/** A runner at its gate: it exists and has a name, but the module does not run yet. */
export class RunnerProcess {
  readonly pid: number
  /** See `processStart`. */
  readonly start: string
  /** Resolves with the signal that ended it, if one did. */
  readonly exited: Promise<NodeJS.Signals | null>
  readonly #child: ChildProcess

  private constructor(
    child: ChildProcess,
    pid: number,
    start: string,
    exited: Promise<NodeJS.Signals | null>
  ) {
    this.#child = child
    this.pid = pid
    this.start = start
    this.exited = exited
  }

  static async launch(fds: readonly number[], memoryPages: number): Promise<RunnerProcess> {
    const { script, root } = placeOf('runner')
    const child = spawn(process.execPath, [...runnerFlags(root, memoryPages), script], {
      cwd: '/',
      env: {},
      detached: true, // its own session: a Ctrl-C in the daemon's terminal is not for it
      stdio: ['pipe', ...fds],
      windowsHide: true
    })
    child.stdin?.on('error', () => undefined) // it died before it read the gate: told by its exit
    const { promise: exited, resolve } = Promise.withResolvers<NodeJS.Signals | null>()
    child.once('exit', (_code, signalName) => resolve(signalName))
    const failed = new Promise<never>((_resolve, reject) => child.once('error', reject))
    const { pid } = child
    const start = pid === undefined ? undefined : await processStart(pid)
    if (pid === undefined || start === undefined)
      throw startError(await Promise.race([failed.catch(error => error), exited]))
    failed.catch(() => undefined) // from here on only a kill that fails would tell
    return new RunnerProcess(child, pid, start, exited)
  }

  /** Opens the gate. From here on the process belongs to itself, and once `closed` fires it keeps nobody waiting. */
  release(closed: AbortSignal): void {
    this.#child.stdin?.end(GO)
    const letGo = (): void => this.#child.unref()
    closed.addEventListener('abort', letGo, { once: true })
    this.#child.once('exit', () => closed.removeEventListener('abort', letGo))
  }

  /** Ends it before or after its release. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

function startError(reason: unknown): ExecutorError {
  const why = reason instanceof Error ? errorMessage(reason) : `it ended at once (signal ${String(reason)})`
  return new ExecutorError('EXECUTOR_START_FAILED', `the runner process cannot be started: ${why}`, {
    cause: reason,
    hint: 'check the limits of processes and memory of this machine'
  })
}
