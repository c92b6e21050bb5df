/** Where a passphrase comes from: `--passphrase-fd`, then `DMS_PASSPHRASE`, then a person (identity-and-actors §3.5). */

import { read } from 'node:fs'
import { errorMessage, raceSignal } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { PassphraseError } from '../cli/errors.ts'

/** Longest passphrase read from a descriptor, in bytes. */
const MAX_LENGTH = 4096
const LINE_END = 0x0a

export interface PassphraseRequest {
  /** Name of the key, for the question. */
  readonly key: string
  /** A new key: a person must type it twice. */
  readonly isNew: boolean
}

type PassphraseSource = Pick<Cli, 'terminal' | 'environment' | 'signal'>

/** True when nobody has to be asked. */
export function hasPassphrase(cli: PassphraseSource, globals: ReadonlyMap<string, unknown>): boolean {
  return globals.has('passphrase-fd') || cli.environment.passphrase !== undefined
}

/** The passphrase of a key. @throws PassphraseError when there is none to be had. */
export async function resolvePassphrase(
  cli: PassphraseSource,
  globals: ReadonlyMap<string, unknown>,
  request: PassphraseRequest
): Promise<string> {
  const descriptor = globals.get('passphrase-fd')
  if (typeof descriptor === 'number') return await readDescriptor(descriptor, cli.signal)
  const fromEnvironment = cli.environment.passphrase
  if (fromEnvironment !== undefined) return fromEnvironment.reveal()
  if (!cli.terminal.canAsk) {
    throw new PassphraseError(`passphrase not found for key '${request.key}'`, {
      hint: 'set DMS_PASSPHRASE, use --passphrase-fd, or run the command in a terminal'
    })
  }
  return await askPassphrase(cli, request)
}

async function askPassphrase(cli: PassphraseSource, { key, isNew }: PassphraseRequest): Promise<string> {
  const { terminal, signal } = cli
  const question = isNew ? `New passphrase for key '${key}': ` : `Passphrase for key '${key}': `
  const passphrase = await terminal.askSecret(question, { signal })
  if (passphrase === '')
    throw new PassphraseError('invalid passphrase: it is empty', {
      hint: 'type one that others cannot guess'
    })
  if (isNew && (await terminal.askSecret('The same again: ', { signal })) !== passphrase) {
    throw new PassphraseError('the two passphrases differ', { hint: 'run the command again' })
  }
  return passphrase
}

/** Reads up to the first line end. The descriptor belongs to whoever passed it and stays open. */
async function readDescriptor(descriptor: number, signal: AbortSignal): Promise<string> {
  const buffer = Buffer.alloc(MAX_LENGTH)
  let size = 0
  try {
    while (size < MAX_LENGTH && !buffer.subarray(0, size).includes(LINE_END)) {
      const count = await raceSignal(readInto(descriptor, buffer, size), signal)
      if (count === 0) break
      size += count
    }
  } catch (cause) {
    signal.throwIfAborted()
    throw new PassphraseError(
      `cannot read the passphrase from descriptor ${descriptor}: ${errorMessage(cause)}`,
      {
        cause,
        hint: 'for example: nunet … --passphrase-fd 3 3<passphrase-file'
      }
    )
  }
  const passphrase = (buffer.toString('utf8', 0, size).split('\n')[0] ?? '').replace(/\r$/, '')
  if (passphrase === '') throw new PassphraseError(`descriptor ${descriptor} holds no passphrase`)
  return passphrase
}

function readInto(descriptor: number, buffer: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, buffer, offset, buffer.length - offset, null, (error, count) =>
      error ? reject(error) : resolve(count)
    )
  })
}
