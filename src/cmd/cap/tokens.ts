/** Tokens and DIDs as a person gives them: pasted, in a file, or on standard input. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseDid, publicKeyOfDid } from '../../lib/did/index.ts'
import { parseToken, parseTokenList, type Token } from '../../lib/ucan/index.ts'
import type { Did, Result } from '../../types/index.ts'
import { errorMessage, ok } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError, RefusedError } from '../cli/errors.ts'
import { readInput } from '../cli/read-input.ts'

/** Bytes of input, twice what a token list of a person may have. */
const MAX_INPUT = 2 ** 21

/**
 * The text that is meant by a word of the command line: itself, or what is in the file of that name, or on standard
 * input for `-`. An argument holds 128 KiB at most on Linux (execve(2), MAX_ARG_STRLEN), a file holds any chain.
 * @throws CommandError, FileStoreError
 */
export async function readTokenText(
  cli: Pick<Cli, 'terminal' | 'directory' | 'signal'>,
  source: string
): Promise<string> {
  return isText(source) ? source : await readInput(cli, source, MAX_INPUT)
}

function isText(source: string): boolean {
  return source.trim() === '' || source.trimStart().startsWith('{')
}

/** Tokens from wherever a word of the command line says. @throws RefusedError, CommandError, FileStoreError */
export async function takeTokens(
  cli: Pick<Cli, 'terminal' | 'directory' | 'signal'>,
  source: string
): Promise<readonly Token[]> {
  // A mistyped token is told as such, not as a file that is not there.
  const isNothing = source !== '-' && !isText(source) && !existsSync(resolve(cli.directory, source))
  return readTokens(isNothing ? source : await readTokenText(cli, source))
}

/**
 * Reads a token list, a single token, or one of either on each line: commands of each kind are fed with the output of the
 * others. @throws RefusedError when it is something else; CommandError when there is none
 */
export function readTokens(text: string): readonly Token[] {
  const read = parseWhole(text)
  const tokens = read.ok ? read : parseLines(text)
  if (!tokens.ok) {
    throw new RefusedError(
      'not a token or token list',
      tokens.error,
      "give the output of 'nunet cap grant' or 'nunet cap delegate' in quotes, the name of a file that holds it, or - for standard input"
    )
  }
  if (tokens.value.length > 0) return tokens.value
  throw new CommandError('there is no token in it', {
    hint: 'look at the command that printed it: an empty list is the output of one that gave nothing'
  })
}

function parseWhole(text: string): Result<readonly Token[]> {
  const list = parseTokenList(text)
  if (list.ok) return list
  const single = parseToken(text)
  return single.ok ? ok([single.value]) : list
}

/** Fails with what is wrong with the first line that holds none. */
function parseLines(text: string): Result<readonly Token[]> {
  const tokens: Token[] = []
  for (const line of text.split('\n').filter(line => line.trim() !== '')) {
    const read = parseWhole(line)
    if (!read.ok) return read
    tokens.push(...read.value)
  }
  return ok(tokens)
}

/** @throws CommandError */
export function readDid(text: string): Did {
  try {
    const did = parseDid(text)
    // A key with a typing mistake would be trusted in vain.
    if (did.startsWith('did:key:')) publicKeyOfDid(did)
    return did
  } catch (cause) {
    const reason = errorMessage(cause)
    const what = reason.includes('is not a DID') ? reason : `'${text.slice(0, 120)}' is not a DID: ${reason}`
    throw new CommandError(what, { cause, hint: "'nunet key did <name>' prints one" })
  }
}
