/** Runs command lines in this process, with a terminal of memory and a home directory of the test's own. */

import { createCipheriv, createHash, scryptSync } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Cli } from '../../../src/cmd/cli/command.ts'
import { dispatch } from '../../../src/cmd/cli/dispatch.ts'
import { exitCodeOf } from '../../../src/cmd/cli/errors.ts'
import { describeError } from '../../../src/cmd/cli/run.ts'
import type { Terminal } from '../../../src/cmd/cli/terminal.ts'
import { root } from '../../../src/cmd/root.ts'
import { readEnvironment } from '../../../src/config/index.ts'
import { generateKey, type PrivateKey } from '../../../src/lib/crypto/index.ts'
import { didOf } from '../../../src/lib/did/index.ts'
import { createCapabilityStore, emptyCapabilityFile } from '../../../src/lib/ucan/index.ts'
import type { Clock, Did } from '../../../src/types/index.ts'
import { createSystemFiles, systemClock, systemRandom } from '../../../src/utils/index.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../utils/index.ts'

export const PASSPHRASE = 'open sesame'

/** A terminal that remembers, and answers from a list. */
export class MemoryTerminal implements Terminal {
  outIsTerminal = false
  errIsTerminal = false
  canAsk = false
  columns = 80
  colours = true
  output = ''
  talk = ''
  readonly questions: string[] = []
  answers: string[] = []

  out(text: string | Uint8Array): void {
    this.output += typeof text === 'string' ? text : new TextDecoder().decode(text)
  }

  err(text: string | Uint8Array): void {
    this.talk += typeof text === 'string' ? text : new TextDecoder().decode(text)
  }

  warn(text: string | Uint8Array): void {
    this.err(text)
  }

  ask(question: string): Promise<string> {
    this.questions.push(question)
    const answer = this.answers.shift()
    return answer === undefined
      ? Promise.reject(new Error(`nobody answers '${question}'`))
      : Promise.resolve(answer)
  }

  askSecret(question: string): Promise<string> {
    return this.ask(question)
  }
}

export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly terminal: MemoryTerminal
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly terminal?: MemoryTerminal
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/** A user's home with a daemon address nobody listens on unless the test says otherwise. */
export class Home implements AsyncDisposable {
  readonly #directory: TemporaryDirectory
  readonly files = createSystemFiles({ clock: systemClock, random: systemRandom })

  private constructor(directory: TemporaryDirectory) {
    this.#directory = directory
  }

  static async create(): Promise<Home> {
    return new Home(await temporaryDirectory())
  }

  get path(): string {
    return this.#directory.path
  }

  join(...parts: string[]): string {
    return this.#directory.join(...parts)
  }

  async read(...parts: string[]): Promise<string> {
    return await readFile(this.join(...parts), 'utf8')
  }

  async write(path: string, text: string): Promise<string> {
    const full = this.join(path)
    await mkdir(dirname(full), { recursive: true })
    await writeFile(full, text, { mode: 0o600 })
    return full
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]()
  }

  /** A key whose derivation is cheap, and its empty context: real ones cost a second each. */
  async addIdentity(
    name: string,
    options: { context?: boolean } = {}
  ): Promise<{ did: Did; key: PrivateKey }> {
    const key = generateKey(systemRandom)
    await this.write(`.nunet/key/${name}.json`, cheapKeyFile(name, key, PASSPHRASE))
    const did = didOf(key.publicKey)
    if (options.context !== false) {
      const store = createCapabilityStore(
        { files: this.files, clock: systemClock, random: systemRandom },
        { directory: this.join('.nunet', 'cap') }
      )
      await store.save(name, emptyCapabilityFile(did))
    }
    return { did, key }
  }

  /** Runs one command line as the program would. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const terminal = options.terminal ?? new MemoryTerminal()
    const cli: Cli = {
      terminal,
      clock: options.clock ?? systemClock,
      random: systemRandom,
      files: this.files,
      environment: readEnvironment({ HOME: this.path, DMS_PASSPHRASE: PASSPHRASE, ...options.environment }),
      directory: this.path,
      signal: options.signal ?? new AbortController().signal
    }
    const plan = await dispatch(root, argv)
    const code = await finish(terminal, plan.type === 'help' ? 'compatible' : plan.exitCodes, async () => {
      if (plan.type === 'mistake') throw plan.error
      if (plan.type === 'run') return await plan.run(cli)
      terminal.out(plan.text)
      return 0
    })
    return { code, out: terminal.output, err: terminal.talk, terminal }
  }
}

async function finish(
  terminal: MemoryTerminal,
  kind: 'compatible' | 'human',
  work: () => Promise<number>
): Promise<number> {
  try {
    return await work()
  } catch (error) {
    terminal.err(describeError(error, false))
    return exitCodeOf(error, kind)
  }
}

/** A key file as existing clients write it, with costs of 2: reading takes no time. */
export function cheapKeyFile(id: string, key: PrivateKey, passphrase: string): string {
  const salt = systemRandom.bytes(32)
  const iv = systemRandom.bytes(16)
  const derived = scryptSync(passphrase, salt, 64, { N: 2, r: 8, p: 1 })
  const ciphertext = createCipheriv('aes-256-ctr', derived.subarray(0, 32), iv).update(key.toProtobuf())
  const mac = createHash('sha3-256').update(derived.subarray(32)).update(ciphertext).digest('hex')
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const kdfparams = { n: 2, r: 8, p: 1, dklen: 64, salt: hex(salt) }
  return JSON.stringify({
    id,
    crypto: {
      cipher: 'aes-256-ctr',
      ciphertext: hex(ciphertext),
      cipherparams: { iv: hex(iv) },
      kdf: 'scrypt',
      kdfparams,
      mac
    },
    version: 3
  })
}
