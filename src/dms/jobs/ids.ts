/** Ids that peers send become directory names, inboxes and labels here, so their form is narrow. */

import type { Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'

const ENSEMBLE_ID = /^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/
/** No slash, no leading dot, and with a UUID behind it still short enough for a file name of 255 bytes. */
const ALLOCATION_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/

/**
 * Full id of an allocation: what was sent when it already begins with the ensemble's id, otherwise the older form
 * made of both (deployment §2.1).
 */
export function parseAllocationId(ensembleId: string, name: string): Result<string> {
  if (!ENSEMBLE_ID.test(ensembleId)) {
    return refuse(
      refusal('ALLOCATION_ID', `'${ensembleId}' is not an ensemble id: expected letters, digits and '-'`)
    )
  }
  const id = name.startsWith(`${ensembleId}_`) ? name : `${ensembleId}_${name}`
  if (ALLOCATION_ID.test(id) && !id.includes('..')) return ok(id)
  return refuse(
    refusal('ALLOCATION_ID', `'${name}' is not an allocation id: expected letters, digits, '.', '-' and '_'`)
  )
}

/**
 * Id of a new execution. It begins with its allocation's id, so that an execution of which only the id is known
 * can be named in full.
 */
export function executionIdOf(allocationId: string, uuid: string): string {
  return `${allocationId}.${uuid}`
}

/** The allocation an execution id was made for. */
export function allocationOfExecution(executionId: string): string {
  return executionId.slice(0, Math.max(0, executionId.lastIndexOf('.')))
}
