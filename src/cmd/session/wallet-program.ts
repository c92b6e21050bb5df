/**
 * Runs the program of a wallet. It talks to the person itself, so it gets the terminal; what it prints goes to standard
 * error, because standard output is the command's answer. It is found in PATH, gets the environment without our
 * secrets, and ends with the command.
 */

import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { MAX_WALLET_ANSWER, WalletError } from '../../lib/did/index.ts'
import { errorCode, errorMessage } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'

type Runner = Pick<Cli, 'environment' | 'clock' | 'signal'>

/** How long a program that was told to end may take before it is killed. Milliseconds. */
const KILL_AFTER_MS = 2000

const STANDARD_ERROR = 2

/** The path of a program in PATH; relative folders of PATH are passed over, as a stranger's folder may be the current one. */
export async function findProgram({ environment }: Pick<Cli, 'environment'>, name: string): Promise<string> {
  const folders = (environment.variables['PATH'] ?? '').split(delimiter).filter(folder => isAbsolute(folder))
  for (const folder of folders) {
    const path = join(folder, name)
    if (await isExecutable(path)) return path
  }
  throw new WalletError('WALLET_PROGRAM_MISSING', `the program '${name}' is not in PATH`, {
    hint: `install '${name}' and put its folder into PATH; looked in ${folders.join(', ') || 'no folder: PATH is empty'}`,
    details: { program: name, folders }
  })
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/** Runs a program that writes its answer to a file; gives back the file's content. The file is gone afterwards. */
export async function runWithOutputFile(
  cli: Runner,
  path: string,
  words: (file: string) => readonly string[]
): Promise<Uint8Array> {
  cli.signal.throwIfAborted()
  const folder = await mkdtemp(join(tmpdir(), 'nunet-wallet-')) // mode 0700
  try {
    const file = join(folder, 'answer.json')
    await run(cli, path, words(file), STANDARD_ERROR)
    return await readAnswer(path, file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs a program that prints its answer; gives back what it printed, cut behind the longest answer that is read. */
export async function runForOutput(cli: Runner, path: string, words: readonly string[]): Promise<Uint8Array> {
  cli.signal.throwIfAborted()
  const chunks: Buffer[] = []
  let size = 0
  await run(cli, path, words, 'pipe', child => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (size <= MAX_WALLET_ANSWER) chunks.push(chunk)
      size += chunk.length
    })
  })
  return Buffer.concat(chunks)
}

/** Resolves when the program has ended well. @throws WalletError; the signal's reason, once it has ended */
async function run(
  { environment, clock, signal }: Runner,
  path: string,
  words: readonly string[],
  output: 'pipe' | number,
  attach: (child: ChildProcess) => void = () => undefined
): Promise<void> {
  const options: SpawnOptions = {
    env: { ...environment.variables },
    stdio: ['inherit', output, STANDARD_ERROR],
    shell: false
  }
  const { spawn } = await import('node:child_process')
  const child = spawn(path, [...words], options)
  attach(child)
  const {
    promise: ended,
    resolve,
    reject
  } = Promise.withResolvers<{ code: number | null; by: string | null }>()
  child.once('error', reject).once('close', (code, by) => resolve({ code, by }))
  const stop = (): void => {
    child.kill('SIGTERM')
    const timer = clock.setTimer(KILL_AFTER_MS, () => child.kill('SIGKILL'), { keepAlive: true })
    child.once('close', () => timer.cancel())
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const { code, by } = await ended
    signal.throwIfAborted()
    if (code !== 0) throw failed(path, code === null ? `was ended by ${by}` : `failed with exit code ${code}`)
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof WalletError
      ? error
      : failed(path, `could not be run: ${errorMessage(error)}`, error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function failed(path: string, reason: string, cause?: unknown): WalletError {
  return new WalletError('WALLET_PROGRAM_FAILED', `'${path}' ${reason}`, {
    cause,
    hint: 'its own message stands above; check that the device is connected, unlocked and has its app open'
  })
}

/** Reads a bounded, regular file. The folder is ours alone, yet a link in it would be somebody's mistake at best. */
async function readAnswer(path: string, file: string): Promise<Uint8Array> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const buffer = new Uint8Array(MAX_WALLET_ANSWER + 1)
    let size = 0
    for (;;) {
      const { bytesRead } = await handle.read(buffer, size, buffer.length - size)
      size += bytesRead
      if (bytesRead === 0 || size === buffer.length) return buffer.slice(0, size)
    }
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'it wrote none' : errorMessage(cause)
    throw new WalletError('WALLET_ANSWER_UNREADABLE', `the answer of '${path}' cannot be read: ${reason}`, {
      cause,
      hint: 'update the program'
    })
  }
}
