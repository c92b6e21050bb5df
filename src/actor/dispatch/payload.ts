/** Step 5: the payload becomes a typed value, or the message goes no further. */

import type { z } from 'zod'
import type { Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { decodePayload } from '../message/index.ts'

/** Problems listed in one refusal; a long list helps nobody. */
const MAX_PROBLEMS = 16

/**
 * Reads a payload by its schema. Callers send nothing, `null` or `{}` for a request without members, and Go reads all
 * three as the empty struct, so the first two are tried as they are and then as `{}`. Refusal `ACTOR_PAYLOAD_INVALID`.
 */
export function readPayload<Request>(
  schema: z.ZodType<Request>,
  message: Uint8Array,
  options: { exact?: boolean } = {}
): Result<Request> {
  const json = decodePayload(message, options)
  if (!json.ok) return refuse(refusal('ACTOR_PAYLOAD_INVALID', json.error.message))
  const parsed = schema.safeParse(json.value)
  if (parsed.success) return ok(parsed.data)
  if (json.value === undefined || json.value === null) {
    const empty = schema.safeParse({})
    if (empty.success) return ok(empty.data)
  }
  const causes = parsed.error.issues
    .slice(0, MAX_PROBLEMS)
    .map(issue =>
      refusal('ACTOR_PAYLOAD_INVALID', `${issue.path.map(String).join('.') || 'payload'}: ${issue.message}`)
    )
  return refuse(
    refusal('ACTOR_PAYLOAD_INVALID', 'payload does not have the form this behaviour takes', { causes })
  )
}
