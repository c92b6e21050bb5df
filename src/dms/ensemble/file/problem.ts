/** What is wrong with an ensemble file, where, and how it is shown. */

import { MAX_PROBLEMS } from '../constants.ts'

/** Part of a file, as offsets into its text. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** One finding. Text from the file in it may hold anything but control characters. */
export interface EnsembleProblem {
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** For example `allocations.web.resources.ram.size`; empty for the file as a whole. */
  readonly path: string
  /** What was found. */
  readonly message: string
  /** What would have been right; absent where there is no such thing, as for an unknown key. */
  readonly expected?: string
  /** What to do, as a sentence or the corrected text. */
  readonly hint?: string
  /** The line of the file and how many characters of it are meant, for the excerpt. */
  readonly excerpt?: { readonly text: string; readonly length: number }
}

/** A place a problem can be reported at. */
export interface Place {
  readonly span: Span
  readonly path: string
}

/** The facts of a problem beside its place. */
export interface Finding {
  message: string
  expected?: string
  hint?: string
}

/** Collects the problems of one file. */
export class Problems {
  readonly #file: string
  readonly #text: string
  readonly #lineStarts: number[]
  readonly #count = { error: 0, warning: 0 }
  readonly #found = new Map<string, EnsembleProblem>()

  constructor(file: string, text: string) {
    this.#file = file
    this.#text = text
    this.#lineStarts = [0]
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1)
  }

  /** True once so much is wrong that more would not help the reader. Warnings do not count: they must not hide errors. */
  get full(): boolean {
    return this.#count.error >= MAX_PROBLEMS
  }

  /** True once further warnings are dropped. */
  get warnedEnough(): boolean {
    return this.#count.warning >= MAX_PROBLEMS
  }

  error(place: Place, finding: Finding): void {
    this.#add('error', place, finding)
  }

  warning(place: Place, finding: Finding): void {
    this.#add('warning', place, finding)
  }

  /** Errors in the order of the file. */
  get errors(): EnsembleProblem[] {
    return this.#sorted('error')
  }

  /** Warnings in the order of the file. */
  get warnings(): EnsembleProblem[] {
    return this.#sorted('warning')
  }

  /** Errors and warnings in the order of the file. */
  get all(): EnsembleProblem[] {
    return [...this.#found.values()].sort((a, b) => a.line - b.line || a.column - b.column)
  }

  #sorted(severity: EnsembleProblem['severity']): EnsembleProblem[] {
    return this.all.filter(problem => problem.severity === severity)
  }

  #add(severity: EnsembleProblem['severity'], place: Place, finding: Finding): void {
    if (this.#count[severity] >= MAX_PROBLEMS) return
    const { line, column } = this.#position(place.span.start)
    // A template used by many allocations is read many times; its mistake is one.
    const key = JSON.stringify([severity, place.span.start, finding.message, finding.expected])
    if (this.#found.has(key)) return
    this.#count[severity] += 1
    const text = this.#lineText(line)
    this.#found.set(key, {
      severity,
      file: this.#file,
      line,
      column,
      path: printable(place.path),
      message: printable(finding.message),
      ...(finding.expected === undefined ? {} : { expected: printable(finding.expected) }),
      ...(finding.hint === undefined ? {} : { hint: printable(finding.hint) }),
      excerpt: {
        text,
        length: Math.max(1, Math.min(place.span.end - place.span.start, text.length - column + 1))
      }
    })
  }

  #position(offset: number): { line: number; column: number } {
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 }
  }

  #lineText(line: number): string {
    const start = this.#lineStarts[line - 1] ?? 0
    const end = this.#lineStarts[line]
    return this.#text.slice(start, end === undefined ? undefined : end - 1).replace(/\r$/, '')
  }
}

const EXCERPT_WIDTH = 100

/**
 * Prints a problem as compilers do, with the line it is about:
 *
 * ```
 * ensemble.yaml:14:14: allocations.web.execution.image: expected a docker image, found 'Web App'
 *   14 |       image: Web App
 *      |              ^^^^^^^
 *   hint: …
 * ```
 */
export function formatProblem(problem: EnsembleProblem): string {
  const what =
    problem.expected === undefined ? problem.message : `expected ${problem.expected}, ${problem.message}`
  const parts = [`${printable(problem.file)}:${problem.line}:${problem.column}`]
  if (problem.severity === 'warning') parts.push('warning')
  if (problem.path !== '') parts.push(problem.path)
  const lines = [`${parts.join(': ')}: ${what}`, ...excerptLines(problem)]
  if (problem.hint !== undefined) lines.push(`  hint: ${problem.hint}`)
  return lines.join('\n')
}

function excerptLines(problem: EnsembleProblem): string[] {
  if (problem.excerpt === undefined || problem.excerpt.text.trim() === '') return []
  const at = problem.column - 1
  const from = at > EXCERPT_WIDTH - 20 ? at - 40 : 0
  const shown = problem.excerpt.text.slice(from, from + EXCERPT_WIDTH)
  const length = Math.max(1, Math.min(problem.excerpt.length, shown.length - (at - from)))
  const gutter = String(problem.line).padStart(4)
  return [
    `${gutter} | ${singleCells(shown)}`,
    `${' '.repeat(gutter.length)} | ${' '.repeat(Math.max(0, at - from))}${'^'.repeat(length)}`
  ]
}

/** Control and direction characters would let a file write to the terminal of whoever reads its errors. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

function printable(text: string): string {
  return text.replace(UNPRINTABLE, found => `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}

/** One cell for each unit, so that the caret stays under its text. */
function singleCells(text: string): string {
  return text.replace(UNPRINTABLE, found => (found === '\t' ? ' ' : '·').repeat(found.length))
}
