import type { Terminal } from './terminal.ts'

const CODES = { green: '32', yellow: '33', red: '31', dim: '2' } as const

export type Colour = keyof typeof CODES

/** Colours text for one of the two streams, when that is a terminal and colours are wanted. */
export function paint(
  terminal: Pick<Terminal, 'colours' | 'outIsTerminal' | 'errIsTerminal'>,
  stream: 'out' | 'err',
  colour: Colour,
  text: string
): string {
  const isTerminal = stream === 'out' ? terminal.outIsTerminal : terminal.errIsTerminal
  return terminal.colours && isTerminal ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text
}
