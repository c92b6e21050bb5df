/** What a person gives a command to read: the text itself, a file, or `-` for standard input. Never more than a bound. */

import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { bytesToUtf8, errorMessage, fileError } from '../../utils/index.ts'
import type { Cli } from './command.ts'
import { CommandError } from './errors.ts'

/** The text of a file or, for `-`, of standard input. @throws CommandError, FileStoreError */
export async function readInput(
  cli: Pick<Cli, 'terminal' | 'directory' | 'signal'>,
  source: string,
  maxBytes: number
): Promise<string> {
  const isStdin = source === '-'
  const path = resolve(cli.directory, source)
  if (isStdin && process.stdin.isTTY) cli.terminal.err('reading standard input; Ctrl-D ends it\n')
  const name = isStdin ? 'standard input' : `'${path}'`
  const bytes = await readStream(
    isStdin ? process.stdin : createReadStream(path),
    cli.signal,
    maxBytes
  ).catch((cause: unknown) => {
    cli.signal.throwIfAborted()
    throw isStdin ? cause : fileError('read', path, cause)
  })
  if (bytes === undefined) throw new CommandError(`${name} holds more than ${maxBytes} bytes`)
  try {
    return bytesToUtf8(bytes)
  } catch (cause) {
    throw new CommandError(`${name} is not text: ${errorMessage(cause)}`, { cause })
  }
}

/** `undefined` when there is more than the bound; the rest is left unread. */
async function readStream(
  stream: Readable,
  signal: AbortSignal,
  maxBytes: number
): Promise<Uint8Array | undefined> {
  const { addAbortSignal } = await import('node:stream')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of addAbortSignal(signal, stream)) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxBytes) return undefined
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
