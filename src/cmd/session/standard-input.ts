import { bytesToUtf8, raceSignal } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'

/** Bytes of a secret on standard input; a private key as hex has below 300. */
const MAX_LENGTH = 4096

/** One line of standard input, asked for without echo on a terminal. @throws CommandError when there is none */
export async function readSecretLine(
  cli: Pick<Cli, 'terminal' | 'signal'>,
  question: string
): Promise<string> {
  if (cli.terminal.canAsk) return await cli.terminal.askSecret(question, { signal: cli.signal })
  const { stdin } = process
  try {
    const line = await raceSignal(readLine(stdin), cli.signal)
    if (line !== '') return line
  } finally {
    stdin.destroy() // or a writer that never ends would keep this process
  }
  throw new CommandError('there is nothing on standard input', {
    hint: 'pipe it in, for example from a file'
  })
}

async function readLine(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_LENGTH || chunk.includes(0x0a)) break
  }
  if (size > MAX_LENGTH)
    throw new CommandError(`what is on standard input is longer than ${MAX_LENGTH} bytes`)
  return (bytesToUtf8(new Uint8Array(Buffer.concat(chunks))).split('\n')[0] ?? '').trim()
}
