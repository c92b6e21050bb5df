import { formatToken, type Token } from '../../lib/ucan/index.ts'
import { type GoJsonValue, parseGoJson } from '../../utils/index.ts'

/** Our own output is read back here, so its bounds are those of the reader of tokens. */
const LIMITS = { maxLength: 2 ** 24, maxDepth: 256 }

/** A token as exact JSON, to be part of a larger document: `exp` keeps each digit. */
export function exactToken(token: Token): GoJsonValue {
  return parseGoJson(formatToken(token), LIMITS)
}
