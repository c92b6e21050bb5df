import { z } from 'zod'
import type { Behavior } from '../../actor/index.ts'

/** Payload of behaviours that take none; whatever a caller sends is not looked at. */
export const noPayload = z.unknown()

/**
 * Keeps the payload type inside a declaration while a list holds declarations of all kinds: each parses its
 * payload with its own schema before its own handler sees it.
 */
export function declare<Request>(behavior: Behavior<Request, unknown>): Behavior {
  // Sound because the dispatcher passes `handle` only what `request` returned; the type system cannot say so.
  return behavior as unknown as Behavior
}
