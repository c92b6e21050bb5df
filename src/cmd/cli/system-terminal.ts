/** The terminal of this process. */

import type { AbortOptions } from '../../types/index.ts'
import { CancelledError, InterruptedError } from './errors.ts'
import type { Terminal } from './terminal.ts'

export interface TerminalOptions {
  noInput: boolean
  noColour: boolean
  quiet: boolean
}

/** Longest answer taken from a person. */
const MAX_ANSWER = 4096
const DEFAULT_COLUMNS = 80

export function createSystemTerminal(options: TerminalOptions): Terminal {
  const { stdin, stdout, stderr } = process
  const canAsk = Boolean(stdin.isTTY && stderr.isTTY) && !options.noInput
  return {
    outIsTerminal: Boolean(stdout.isTTY),
    errIsTerminal: Boolean(stderr.isTTY),
    canAsk,
    get columns() {
      return stderr.columns ?? stdout.columns ?? DEFAULT_COLUMNS
    },
    colours: !options.noColour,
    out: text => void stdout.write(text),
    err: text => void (options.quiet || stderr.write(text)),
    warn: text => void stderr.write(text),
    ask: (question, abort) => readAnswer(question, canAsk, true, abort),
    askSecret: (question, abort) => readAnswer(question, canAsk, false, abort)
  }
}

/**
 * Reads one line in raw mode, so that nothing is echoed unless wanted and the terminal is put back whatever
 * happens. Ctrl-C interrupts, Ctrl-D cancels.
 */
async function readAnswer(
  question: string,
  canAsk: boolean,
  echo: boolean,
  { signal }: AbortOptions = {}
): Promise<string> {
  if (!canAsk) throw new CancelledError('there is no terminal to ask on')
  signal?.throwIfAborted()
  const { stdin, stderr } = process
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const line = new AnswerLine(echo)
  const onData = (chunk: Buffer): void => {
    try {
      const answer = line.feed(chunk.toString('utf8'))
      if (answer !== undefined) resolve(answer)
    } catch (error) {
      reject(error)
    }
  }
  const onAbort = (): void => reject(signal?.reason)
  const onEnd = (): void => reject(new CancelledError('operation cancelled by user'))
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.on('data', onData).once('end', onEnd)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    signal?.removeEventListener('abort', onAbort)
    stdin.off('data', onData).off('end', onEnd)
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

/** The line being typed. */
class AnswerLine {
  readonly #echo: boolean
  #text = ''

  constructor(echo: boolean) {
    this.#echo = echo
  }

  /** Takes what was typed; the line when Enter was among it. */
  feed(typed: string): string | undefined {
    for (const key of typed) {
      if (key === '\r' || key === '\n') return this.#text
      if (key === '\u0003') throw new InterruptedError('SIGINT')
      if (key === '\u0004') throw new CancelledError('operation cancelled by user')
      if (key === '\u007f' || key === '\b') this.#erase()
      else if (key >= ' ' && this.#text.length < MAX_ANSWER) this.#add(key)
    }
    return undefined
  }

  #add(key: string): void {
    this.#text += key
    if (this.#echo) process.stderr.write(key)
  }

  #erase(): void {
    if (this.#text === '') return
    this.#text = [...this.#text].slice(0, -1).join('')
    if (this.#echo) process.stderr.write('\b \b')
  }
}
