import type { Refusal, Result } from '../../types/index.ts'

/** `{"OK":…,"Error":…}`, with the tree of reasons beside the text for those who read it. */
export interface Answer {
  OK: boolean
  Error: string
  /** Extension. */
  Refusal?: Refusal
}

export const DONE: Answer = { OK: true, Error: '' }

export function answerRefusal(problem: Refusal): Answer {
  return { OK: false, Error: problem.message, Refusal: problem }
}

export function answer(result: Result<unknown>): Answer {
  return result.ok ? DONE : answerRefusal(result.error)
}

/** For a behaviour's `onError`: a payload that cannot be read, or a handler that threw. */
export function answerProblem(problem: { readonly message: string; readonly refusal?: Refusal }): Answer {
  return problem.refusal ? answerRefusal(problem.refusal) : { OK: false, Error: problem.message }
}
