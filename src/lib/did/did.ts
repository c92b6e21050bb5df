/** DID text (§2.1). */

import type { Did } from '../../types/index.ts'
import { DidError } from './errors.ts'

/** Longest DID looked at; those in use have below 100 characters. */
export const MAX_DID_LENGTH = 512

/** `did:<method>:<identifier>` with exactly three parts (DID Core §3.1); so long-form PRISM DIDs are refused (§2.1). */
const DID = /^did:[a-z0-9]+:[A-Za-z0-9._%-]+$/

/** Whether the value is a DID by its syntax. Says nothing about its key. */
export function isDid(value: unknown): value is Did {
  return typeof value === 'string' && value.length <= MAX_DID_LENGTH && DID.test(value)
}

/**
 * Reads a DID. Stricter than existing clients: the empty text is not a DID (an absent one is written as absent),
 * and the scheme must be `did`.
 * @throws DidError
 */
export function parseDid(text: string): Did {
  if (isDid(text)) return text
  throw new DidError(`'${text.slice(0, 80)}' is not a DID; expected 'did:<method>:<identifier>'`, {
    hint: "a key's DID is printed by 'nunet key did <name>'"
  })
}

/** The method of a DID, `key` in `did:key:z6Mk…`. */
export function didMethod(did: Did): string {
  const [, method = ''] = did.split(':', 2)
  return method
}
