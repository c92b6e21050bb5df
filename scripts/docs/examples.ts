/**
 * The programs that stand in the documentation: code blocks of a Markdown page with the output that follows them, and
 * the `@example` of a door with the output in its comments. The tests compile and run them as they are.
 */

/** A program as it is written down. */
export interface Example {
  /** Where it stands: `docs/library.md:40`. */
  readonly place: string
  readonly language: 'ts' | 'cjs'
  readonly code: string
  /** Lines it prints; `…` stands for any text within a line. `undefined` when nothing is said about it. */
  readonly output: string[] | undefined
}

const BLOCK = /^```(ts|cjs)\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm

/** The programs of a Markdown page, in their order. */
export function examplesOfPage(path: string, text: string): Example[] {
  return [...text.matchAll(BLOCK)].map(({ index, 1: language, 2: code = '', 3: output }) => ({
    place: `${path}:${text.slice(0, index).split('\n').length}`,
    language: language === 'cjs' ? 'cjs' : 'ts',
    code,
    output: output?.trimEnd().split('\n')
  }))
}

/** Output that a line announces: `console.log(…) // true`, or in a loop `// true, then false`. */
const ANNOUNCED = /console\.log\(.*\) \/\/ (.+)$/gm

/** The program in the opening comment of a door. @throws Error when there is none */
export function exampleOfDoor(path: string, text: string): Example {
  const opening = text.slice(0, text.indexOf('*/'))
  const block = /\* @example\n \* ```ts\n([\s\S]*?) \* ```\n/.exec(opening)?.[1]
  if (block === undefined) throw new Error(`'${path}' opens without an example`)
  const code = block.replace(/^ \* ?/gm, '')
  const output = [...code.matchAll(ANNOUNCED)].flatMap(([, announced = '']) => announced.split(', then '))
  return { place: `${path} @example`, language: 'ts', code, output }
}

/** Whether printed text is what was written down. */
export function matchesOutput(printed: string, wanted: readonly string[]): boolean {
  const lines = printed.trimEnd().split('\n')
  return (
    lines.length === wanted.length &&
    wanted.every((line, index) => {
      const pattern = line.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      return new RegExp(`^${pattern.join('.*')}$`).test(lines[index] ?? '')
    })
  )
}
