/**
 * Reads TypeScript text without a parser: the compiler we use has no programming interface, and a checker
 * that silently sees nothing is worse than a simple one. Comments and texts are replaced by blanks of the same
 * length, so that positions and line numbers stay true.
 */

/** The text with comments blanked. */
export function withoutComments(text: string): string {
  return blank(text, piece => piece.kind === 'comment')
}

/** The text with comments, strings, the fixed parts of templates and regular expressions blanked. */
export function codeOnly(text: string): string {
  return blank(text, piece => piece.kind !== 'code')
}

/** Line number, from 1, of a position. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length
}

interface Piece {
  readonly kind: 'code' | 'comment' | 'text'
  readonly from: number
  readonly to: number
}

function blank(text: string, hide: (piece: Piece) => boolean): string {
  let out = ''
  for (const piece of pieces(text)) {
    const part = text.slice(piece.from, piece.to)
    out += hide(piece) ? part.replace(/[^\n]/g, ' ') : part
  }
  return out
}

/** What may come before a regular expression; after anything else a slash divides. */
const BEFORE_REGEXP =
  /(?:^|[=(,:;[!&|?{}<>+*%~^-]|\b(?:return|typeof|case|in|of|do|else|void|await|yield|throw|new|delete))\s*$/

function* pieces(text: string): Generator<Piece> {
  /** For each open `${` the depth of braces inside it. */
  const templates: number[] = []
  let start = 0
  let at = 0
  function* emit(kind: Piece['kind'], from: number, to: number): Generator<Piece> {
    if (start < from) yield { kind: 'code', from: start, to: from }
    yield { kind, from, to }
    start = to
    at = to
  }
  while (at < text.length) {
    const two = text.slice(at, at + 2)
    const one = text[at] ?? ''
    const depth = templates.at(-1)
    if (two === '//') yield* emit('comment', at, indexOr(text, '\n', at))
    else if (two === '/*') yield* emit('comment', at, indexOr(text, '*/', at + 2) + 2)
    else if (one === "'" || one === '"') yield* emit('text', at, endOfQuote(text, at))
    else if (one === '/' && BEFORE_REGEXP.test(text.slice(Math.max(0, at - 40), at))) {
      yield* emit('text', at, endOfRegExp(text, at))
    } else if (one === '`' || (one === '}' && depth === 0)) {
      if (one === '}') templates.pop()
      const { end, opens } = endOfTemplatePart(text, at + 1)
      if (opens) templates.push(0)
      yield* emit('text', at, end)
    } else {
      if (depth !== undefined && one === '{') templates[templates.length - 1] = depth + 1
      if (depth !== undefined && one === '}') templates[templates.length - 1] = depth - 1
      at++
    }
  }
  if (start < text.length) yield { kind: 'code', from: start, to: text.length }
}

function indexOr(text: string, wanted: string, from: number): number {
  const found = text.indexOf(wanted, from)
  return found < 0 ? text.length : found
}

function endOfQuote(text: string, from: number): number {
  const quote = text[from]
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === quote || text[at] === '\n') return at + 1
  }
  return text.length
}

function endOfTemplatePart(text: string, from: number): { end: number; opens: boolean } {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '`') return { end: at + 1, opens: false }
    else if (text.startsWith('${', at)) return { end: at + 2, opens: true }
  }
  return { end: text.length, opens: false }
}

function endOfRegExp(text: string, from: number): number {
  let inClass = false
  for (let at = from + 1; at < text.length; at++) {
    const one = text[at]
    if (one === '\\') at++
    else if (one === '\n')
      return from + 1 // it was a division after all
    else if (one === '[') inClass = true
    else if (one === ']') inClass = false
    else if (one === '/' && !inClass) return at + 1
  }
  return text.length
}
