/** Tokens out of text from a person, or where exactly it is no token. */

import { parseToken, parseTokenList, type Token } from '../../../lib/ucan/index.ts'
import { errorMessage, type GoJsonValue, goMember, parseGoJson } from '../../../utils/index.ts'
import { CommandError } from '../../cli/errors.ts'
import { printGoJson } from '../../cli/go-print.ts'

/** Most tokens of one input; each chain costs its signatures. */
const MAX_TOKENS = 10_000

/** The tokens of a list, a single token, or one of either on each line. @throws CommandError naming the place of the mistake */
export function parseTokens(text: string): Token[] {
  if (text.trim() === '') throw noToken()
  const documents = splitDocuments(text)
  const tokens = documents.flatMap((document, index) =>
    parseDocument(document, documents.length > 1 ? `line ${index + 1}, ` : '')
  )
  if (tokens.length > MAX_TOKENS) throw new CommandError(`more than ${MAX_TOKENS} tokens at once`)
  if (tokens.length > 0) return tokens
  throw noToken()
}

const HINT =
  "give the output of 'nunet cap grant', 'delegate' or 'revoke', the name of a file that holds it, or -"

function noToken(): CommandError {
  return new CommandError('there is no token in it', { hint: HINT })
}

/** One document over all lines, or one on each: commands print one on each. */
function splitDocuments(text: string): string[] {
  const lines = text.split('\n').map(line => line.trim())
  const filled = lines.filter(line => line !== '')
  const isLines = filled.length > 1 && filled.every(line => line.startsWith('{') && line.endsWith('}'))
  return isLines ? filled : [text.trim()]
}

function parseDocument(document: string, place: string): Token[] {
  const list = parseTokenList(document)
  if (list.ok) return list.value
  const single = parseToken(document)
  if (single.ok) return [single.value]
  throw new CommandError(`not a token: ${place}${locate(document)}`, {
    hint: `${HINT}; cut off or changed text is no token`
  })
}

const LIMITS = { maxLength: 2 ** 21, maxDepth: 256 }

/** Where the reader of tokens fails: which token, which link of its chain, what is wrong there. */
function locate(document: string): string {
  let value: GoJsonValue
  try {
    value = parseGoJson(document, LIMITS)
  } catch (error) {
    return errorMessage(error)
  }
  const items = value instanceof Map ? (goMember(value, 'tok') ?? value) : value
  if (!Array.isArray(items)) return locateLink(items)
  const at = items.findIndex(item => !parseToken(printGoJson(item, 0)).ok)
  return `token ${at + 1} of ${items.length}, ${locateLink(items[at] ?? null)}`
}

/** The deepest link that cannot be read by itself is the one that is wrong. */
function locateLink(token: GoJsonValue): string {
  const links: GoJsonValue[] = [token]
  for (let link = parentOf(token); link !== undefined; link = parentOf(link)) links.push(link)
  for (const [index, link] of [...links.entries()].reverse()) {
    const verdict = parseToken(printGoJson(link, 0))
    if (verdict.ok) continue
    const place = links.length > 1 ? `link ${index + 1} of ${links.length} from the leaf: ` : ''
    return place + verdict.error.message
  }
  return 'it cannot be read'
}

function parentOf(token: GoJsonValue): GoJsonValue | undefined {
  const inner = token instanceof Map ? goMember(token, 'dms') : undefined
  return inner instanceof Map ? (goMember(inner, 'chain') ?? undefined) : undefined
}
