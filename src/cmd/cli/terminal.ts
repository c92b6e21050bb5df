/** What a command may say to the outside, and ask: data to `out`, talk to `err`, questions only on a terminal. */

import type { AbortOptions } from '../../types/index.ts'

export interface Terminal {
  /** Standard output is a terminal: tables may be drawn and redrawn. */
  readonly outIsTerminal: boolean
  /** Standard error is a terminal: progress may be redrawn. */
  readonly errIsTerminal: boolean
  /** A person can be asked. */
  readonly canAsk: boolean
  readonly columns: number
  /** Says something even with --quiet: warnings that matter, output of workloads. */
  warn(text: string | Uint8Array): void
  /** Colour may be used where the stream is a terminal (NO_COLOR, --no-color). */
  readonly colours: boolean
  /** Writes data. Never anything but what the command was asked for. */
  out(text: string | Uint8Array): void
  /** Writes talk: progress, hints, warnings, questions. */
  err(text: string | Uint8Array): void
  /** Asks for one line. */
  ask(question: string, options?: AbortOptions): Promise<string>
  /** Asks without showing what is typed. */
  askSecret(question: string, options?: AbortOptions): Promise<string>
}
