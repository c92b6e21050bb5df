/** Reading what the programs of wallets answer. They are other people's programs, so nothing is taken as it comes. */

import { bytesToUtf8, hexToBytes } from '../../utils/index.ts'
import { WalletError, type WalletErrorCode } from './errors.ts'

/** Bytes of an answer; real ones have below 1 KiB, those of Eternl below 4 KiB. */
export const MAX_WALLET_ANSWER = 65_536

/** The text of an answer. @throws WalletError `WALLET_ANSWER_UNREADABLE` */
export function readAnswerText(program: string, answer: Uint8Array): string {
  if (answer.length > MAX_WALLET_ANSWER)
    throw unreadable(program, `it is longer than ${MAX_WALLET_ANSWER} bytes`)
  try {
    return bytesToUtf8(answer)
  } catch (cause) {
    throw unreadable(program, 'it is not text', cause)
  }
}

/** A member of a JSON answer by its path, when it is a text. @throws WalletError `WALLET_ANSWER_UNREADABLE` */
export function readAnswerMember(program: string, value: unknown, path: readonly string[]): string {
  let found: unknown = value
  for (const name of path) found = isRecord(found) ? found[name] : undefined
  if (typeof found === 'string') return found
  throw unreadable(program, `its member '${path.join('.')}' is missing or is no text`)
}

/** The JSON of an answer. @throws WalletError `WALLET_ANSWER_UNREADABLE` */
export function readAnswerJson(program: string, answer: Uint8Array): unknown {
  const text = readAnswerText(program, answer)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw unreadable(program, 'it is not JSON', cause)
  }
}

/** Bytes written as hexadecimal digits without `0x` (§2.5). @throws WalletError `WALLET_ANSWER_NOT_HEX` */
export function readAnswerHex(program: string, what: string, text: string): Uint8Array {
  try {
    return hexToBytes(text)
  } catch (cause) {
    const message = `${what} in the answer of '${program}' is not hexadecimal: '${text.slice(0, 80)}'`
    throw new WalletError('WALLET_ANSWER_NOT_HEX', message, { cause, hint: `update '${program}'` })
  }
}

/** A fault in an answer that was read. */
export function walletFault(
  code: WalletErrorCode,
  program: string,
  reason: string,
  cause?: unknown
): WalletError {
  return new WalletError(code, `'${program}' ${reason}`, {
    cause,
    hint: 'check that the right device, account and app are open, and try again'
  })
}

function unreadable(program: string, reason: string, cause?: unknown): WalletError {
  return new WalletError('WALLET_ANSWER_UNREADABLE', `the answer of '${program}' cannot be read: ${reason}`, {
    cause,
    hint: `update '${program}'`
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
