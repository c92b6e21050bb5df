import { printableOutput } from '../cli/printable.ts'
import type { Terminal } from '../cli/terminal.ts'

/** Writes the output of one allocation, with its name in front of each line when several are shown. */
export interface LogWriter {
  write(data: Uint8Array): void
  /** Writes what is left of a line without end. */
  end(): void
}

/**
 * A writer to the stream of the same name. Alone and into a pipe, bytes pass as they are; on a terminal what could
 * command it is made visible.
 */
export function createLogWriter(terminal: Terminal, stream: 'stdout' | 'stderr', prefix: string): LogWriter {
  const isTerminal = stream === 'stdout' ? terminal.outIsTerminal : terminal.errIsTerminal
  const put = (text: string | Uint8Array): void =>
    stream === 'stdout' ? terminal.out(text) : terminal.warn(text)
  if (prefix === '' && !isTerminal) return { write: put, end: () => undefined }
  const decoder = new TextDecoder()
  const clean = (text: string): string => (isTerminal ? printableOutput(text) : text)
  let rest = ''
  return {
    write(data) {
      const lines = (rest + decoder.decode(data, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      if (lines.length > 0) put(lines.map(line => `${prefix}${clean(line)}\n`).join(''))
    },
    end() {
      rest += decoder.decode()
      if (rest !== '') put(`${prefix}${clean(rest)}\n`)
      rest = ''
    }
  }
}
