import { parseToken, parseTokenList, type Token } from '../../../lib/ucan/index.ts'
import type { Handler } from '../../cli/command.ts'
import { RefusedError, UsageError } from '../../cli/errors.ts'
import { readTokens } from '../tokens.ts'
import type { BROADCAST_FLAGS } from './flags.ts'
import { sendRevocations } from './send.ts'

/** `nunet cap broadcast`. */
export const capBroadcastHandler: Handler<typeof BROADCAST_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const revocations = readLines(args[0] ?? '')
    const other = revocations.find(({ action }) => action !== 'revoke')
    if (revocations.length === 0 || other !== undefined) {
      throw new UsageError('this is no revocation', {
        hint: "'nunet cap revoke <tokens>' prints one; 'nunet cap revoke --broadcast' also sends it"
      })
    }
    const revoked = flags.proof === undefined ? [] : readTokens(flags.proof)
    await sendRevocations(cli, globals, { revocations, revoked, via: flags.context })
    return 0
  }
}

/** The output of `cap revoke` has one revocation a line. */
function readLines(text: string): readonly Token[] {
  const lines = text.split('\n').filter(line => line.trim() !== '')
  if (lines.length <= 1) return readTokens(text)
  const tokens: Token[] = []
  for (const line of lines) {
    const single = parseToken(line)
    const list = single.ok ? undefined : parseTokenList(line)
    if (single.ok) tokens.push(single.value)
    else if (list?.ok) tokens.push(...list.value)
    else return failing(text, single.error)
  }
  return tokens
}

/** Perhaps the lines are one token in a printed form. */
function failing(text: string, reason: ConstructorParameters<typeof RefusedError>[1]): readonly Token[] {
  const whole = parseToken(text)
  if (whole.ok) return [whole.value]
  const list = parseTokenList(text)
  if (list.ok) return list.value
  throw new RefusedError('not a revocation', reason)
}
