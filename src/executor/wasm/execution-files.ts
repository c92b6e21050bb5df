/** The directory of one execution: what the runner is given, and what it leaves. Outlives daemon and runner. */

import { type FileHandle, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { errorCode } from '../../utils/index.ts'
import { STDERR_LOG, STDOUT_LOG } from '../constants.ts'
import { ExecutorError } from '../errors.ts'
import { MAX_DIAGNOSTICS_BYTES } from './constants.ts'
import type { RunnerConfig, RunnerOutcome } from './runner-protocol.ts'

const CONFIG_FILE = 'config.json'
const MODULE_FILE = 'module.wasm'
const OUTCOME_FILE = 'outcome.json'
/** What Node itself has to say, at most some lines when it crashes. */
const DIAGNOSTICS_FILE = 'runner.log'

/** Longest file name of common file systems. */
const MAX_NAME_BYTES = 255

const outcomeFile = z.object({
  cause: z.enum(['exit', 'stop', 'signal', 'time', 'memory', 'output']),
  exitCode: z.int().min(0).max(255),
  detail: z.string().max(1000).exactOptional()
})

/** Descriptors for the runner, in the order of `runner-protocol.ts` from 1 on. */
export interface RunnerDescriptors extends AsyncDisposable {
  readonly fds: readonly number[]
}

export class ExecutionFiles {
  readonly directory: string

  constructor(ownerDirectory: string, executionId: string) {
    this.directory = join(ownerDirectory, fileName(executionId))
  }

  /** Writes what the runner is given. @throws ExecutorError when the execution exists. */
  async create(config: RunnerConfig, module: Uint8Array): Promise<void> {
    try {
      await mkdir(join(this.directory, '..'), { recursive: true, mode: 0o700 })
      await mkdir(this.directory, { mode: 0o700 })
    } catch (cause) {
      const message =
        errorCode(cause) === 'EEXIST'
          ? `execution '${config.executionId}' exists already`
          : `directory '${this.directory}' cannot be made: ${errorCode(cause)}`
      throw new ExecutorError('EXECUTOR_START_FAILED', message, { cause })
    }
    try {
      await writeFile(join(this.directory, CONFIG_FILE), JSON.stringify(config), { mode: 0o600 })
      await writeFile(join(this.directory, MODULE_FILE), module, { mode: 0o600 })
    } catch (cause) {
      await this.remove()
      throw new ExecutorError(
        'EXECUTOR_START_FAILED',
        `'${this.directory}' cannot be written: ${errorCode(cause)}`,
        {
          cause,
          hint: 'check that the disk is not full'
        }
      )
    }
  }

  /** Opens everything the runner inherits; to be closed here as soon as it runs. */
  async openForRunner(resultsDirectory: string): Promise<RunnerDescriptors> {
    const stack = new AsyncDisposableStack()
    const fds: number[] = []
    const add = async (path: string, flags: string): Promise<void> => {
      const file: FileHandle = await open(path, flags, 0o600)
      stack.defer(async () => await file.close())
      fds.push(file.fd)
    }
    try {
      await add(join(this.directory, DIAGNOSTICS_FILE), 'a')
      await add(join(this.directory, DIAGNOSTICS_FILE), 'a')
      await add(join(resultsDirectory, STDOUT_LOG), 'a')
      await add(join(resultsDirectory, STDERR_LOG), 'a')
      await add(join(this.directory, OUTCOME_FILE), 'a')
      await add(join(this.directory, CONFIG_FILE), 'r')
      await add(join(this.directory, MODULE_FILE), 'r')
    } catch (error) {
      await stack.disposeAsync()
      throw error
    }
    return { fds, [Symbol.asyncDispose]: async () => await stack.disposeAsync() }
  }

  /** How it ended; undefined while it has not been written, or not in full. */
  async readOutcome(): Promise<RunnerOutcome | undefined> {
    const text = await readFile(join(this.directory, OUTCOME_FILE), 'utf8').catch(() => '')
    if (!text.endsWith('\n')) return undefined
    try {
      return outcomeFile.parse(JSON.parse(text))
    } catch {
      return undefined
    }
  }

  /** What Node said when it crashed. */
  async readDiagnostics(): Promise<string> {
    const bytes = await readFile(join(this.directory, DIAGNOSTICS_FILE)).catch(() => new Uint8Array())
    return Buffer.from(bytes.subarray(0, MAX_DIAGNOSTICS_BYTES)).toString('utf8')
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Directory of an owner's executions below the state directory. */
export function ownerDirectory(stateDirectory: string, ownerId: string): string {
  return join(stateDirectory, fileName(ownerId))
}

/** Execution ids of an owner. */
export async function listExecutions(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  return names.map(name => decodeURIComponent(name)).sort()
}

/** A file name for any id, and back by `decodeURIComponent`. */
function fileName(id: string): string {
  const name = encodeURIComponent(id).replaceAll('.', '%2E').replaceAll('*', '%2A')
  if (name === '' || name.length > MAX_NAME_BYTES) {
    throw new ExecutorError('EXECUTOR_START_FAILED', `'${id.slice(0, 64)}' is not a usable id`, {
      hint: `expected 1 to ${MAX_NAME_BYTES} letters, digits and dashes`
    })
  }
  return name
}
