/**
 * What the library doors `crypto`, `did` and `ucan` have in common, for programs that use them: the collaborators they
 * ask for (clock, randomness, files), refusals and errors, and the names of identities. Not every tool of this folder:
 * what stands here is kept for others, the rest may change.
 *
 * @example
 * ```ts
 * import { createSystemFiles, renderRefusal, systemClock, systemRandom } from 'nunet-dms/base'
 *
 * const files = createSystemFiles({ clock: systemClock, random: systemRandom })
 * console.log(await files.read('/no/such/file')) // undefined
 * console.log(renderRefusal({ code: 'DOOR_CLOSED', message: 'not on Sundays' })) // not on Sundays (DOOR_CLOSED)
 * ```
 *
 * @packageDocumentation
 */
export type {
  AbortOptions,
  ActorAddress,
  ActorId,
  Clock,
  Did,
  FileLock,
  FileStore,
  Handle,
  PeerId,
  RandomSource,
  Refusal,
  Result,
  Timer
} from '../types/index.ts'
export { errorMessage, NuError, type NuErrorOptions, TimeLimitError } from './error.ts'
export { FileStoreError } from './file-error.ts'
export { MemoryFiles } from './memory-files.ts'
export { renderRefusal } from './refusal.ts'
export { systemClock } from './system-clock.ts'
export { createSystemFiles } from './system-files.ts'
export { systemRandom } from './system-random.ts'
export { VirtualClock } from './virtual-clock.ts'
