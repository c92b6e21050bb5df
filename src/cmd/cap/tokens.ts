import { parseDid, publicKeyOfDid } from '../../lib/did/index.ts'
import { parseToken, parseTokenList, type Token } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { CommandError, RefusedError } from '../cli/errors.ts'

/** Reads a token list or a single token: commands of either kind are fed with the output of the other. @throws RefusedError */
export function readTokens(text: string): readonly Token[] {
  const list = parseTokenList(text)
  if (list.ok) return list.value
  const single = parseToken(text)
  if (single.ok) return [single.value]
  throw new RefusedError(
    'not a token or token list',
    list.error,
    "pass the output of 'nunet cap grant' or 'nunet cap delegate' in quotes"
  )
}

/** @throws CommandError */
export function readDid(text: string): Did {
  try {
    const did = parseDid(text)
    // A key with a typing mistake would be trusted in vain.
    if (did.startsWith('did:key:')) publicKeyOfDid(did)
    return did
  } catch (cause) {
    throw new CommandError(`'${text.slice(0, 120)}' is not a DID: ${errorMessage(cause)}`, {
      cause,
      hint: "'nunet key did <name>' prints one"
    })
  }
}
