import { decodePayload, readRefusalReply } from '../../actor/message/index.ts'
import { renderRefusal } from '../../utils/index.ts'
import { EXIT } from '../cli/errors.ts'
import { printGoJson, readGoJson } from '../cli/go-print.ts'
import { printable } from '../cli/printable.ts'
import type { Terminal } from '../cli/terminal.ts'

/**
 * Prints a reply payload as the existing CLI does. A payload that carries an error is still a reply, exit code 0;
 * a capability refusal stands where there would have been a timeout, so it is 1 and its tree goes to standard error.
 */
export function printReply(terminal: Terminal, payload: Uint8Array): number {
  terminal.out(`${printGoJson(readGoJson(payload))}\n`)
  const decoded = decodePayload(payload)
  const refusal = decoded.ok ? readRefusalReply(decoded.value) : undefined
  if (refusal === undefined) return EXIT.ok
  terminal.warn(`Error: ${printable(renderRefusal(refusal))}\n`)
  return EXIT.failed
}
