/** The form of the tables of rules: `rules.test.ts` runs each row, `docs/verification.md` lists each. */

import type { Refusal, Result } from '../../../../src/types/index.ts'

/** One rule of the specification, and an attempt to break it (or, with `ok`, to use what it allows). */
export interface Rule {
  /** Where it is written: a section of the specification, or `seed` for the list "verified with strict rules". */
  readonly source: string
  /** What happens in this row, as a sentence. */
  readonly says: string
  /** What the attempt must lead to: a refusal or error code, or `ok`. */
  readonly code: string
  readonly provoke: () => Outcome | Promise<Outcome>
}

/** All codes of a refusal's tree or of an error; `['ok']` when there is none. */
export type Outcome = readonly string[]

export function codesOf(result: Result<unknown>): Outcome {
  return result.ok ? ['ok'] : treeOf(result.error)
}

export function treeOf(refusal: Refusal): string[] {
  return [refusal.code, ...(refusal.causes ?? []).flatMap(treeOf)]
}

/** Codes of what was thrown; an error without code is a mistake and passes. */
export async function thrown(work: () => unknown): Promise<Outcome> {
  try {
    await work()
    return ['ok']
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [String(error.code)]
    throw error
  }
}

/** `ok` or `no`: for readers whose answer is a boolean. */
export function answer(isFine: boolean): Outcome {
  return [isFine ? 'ok' : 'no']
}
