/** How the behaviours of the node are declared: each keeps its payload type to itself until an actor takes it. */

import { z } from 'zod'
import type { Actor, Behavior } from '../../actor/index.ts'
import type { Refusal } from '../../types/index.ts'
import { NuError } from '../../utils/index.ts'

/** Payload of behaviours that take none; whatever a caller sends is not looked at. */
export const noPayload: z.ZodUnknown = z.unknown()

/** A behaviour that is ready to be given to an actor. */
export type Declaration = (actor: Pick<Actor, 'addBehavior'>) => () => void

/** What an answer to a failed call can tell: the reason, one line. */
export interface Failure {
  readonly message: string
}

interface DeclaredBehavior<Request> extends Omit<Behavior<Request, unknown>, 'onError'> {
  readonly onError?: (failure: Failure) => unknown
}

/**
 * Declares a behaviour. A handler may throw a `NuError` for its caller to read: `onError` gets its text and hint, and
 * of any other fault no more than that there was one.
 */
export function declare<Request>({ onError, ...behavior }: DeclaredBehavior<Request>): Declaration {
  const answer = onError && { onError: (problem: Problem) => onError({ message: reasonOf(problem) }) }
  return actor => actor.addBehavior({ ...behavior, ...answer })
}

interface Problem {
  readonly message: string
  readonly refusal?: Refusal
  readonly error?: unknown
}

function reasonOf({ message, refusal, error }: Problem): string {
  if (error instanceof NuError) return error.hint ? `${error.message}; ${error.hint}` : error.message
  const causes = (refusal?.causes ?? []).map(cause => cause.message)
  return causes.length > 0 ? `${message}: ${causes.join('; ')}` : message
}
