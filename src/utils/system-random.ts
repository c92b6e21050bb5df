/** Randomness of the operating system. One of the few files that may ask the platform for it. */

import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import type { RandomSource } from '../types/index.ts'

/** The randomness of the operating system: for keys, ids and everything a stranger must not guess. */
export const systemRandom: RandomSource = {
  bytes: length => new Uint8Array(randomBytes(length)),
  below: bound => (bound <= 1 ? 0 : randomInt(bound)),
  uuid: () => randomUUID()
}
