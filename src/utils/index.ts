/**
 * Small tools without a domain: errors, cancellation, bytes, queues, and the collaborators for time,
 * randomness and files.
 *
 * @packageDocumentation
 */
export { type Deadline, deadline, raceSignal } from './abort.ts'
export {
  base32ToBytes,
  base64ToBytes,
  bytesEqual,
  bytesToBase32,
  bytesToBase64,
  bytesToHex,
  bytesToUtf8,
  concatBytes,
  hexToBytes,
  utf8ToBytes
} from './bytes.ts'
export { formatDuration, isoTime, parseDurationMs, parseTimeMs } from './duration.ts'
export {
  CapacityError,
  errorCode,
  errorMessage,
  NuError,
  type NuErrorOptions,
  SyntaxFault,
  TimeLimitError
} from './error.ts'
export { Emitter } from './events.ts'
export { FileStoreError, fileError } from './file-error.ts'
export { isRunning } from './file-lock.ts'
export {
  type GoJsonLimits,
  type GoJsonObject,
  type GoJsonValue,
  goJsonString,
  goMember,
  parseGoJson
} from './go-json.ts'
export { type HttpAnswer, type HttpRequest, httpExchange } from './http.ts'
export { HttpError } from './http-error.ts'
export { memoize } from './memo.ts'
export { MemoryFiles } from './memory-files.ts'
export { Mutex } from './mutex.ts'
export { type ReadValue, readNameMap, updateNameMap } from './name-map.ts'
export { BoundedQueue, Limiter } from './queue.ts'
export { MAX_REFUSAL_DEPTH, ok, refusal, refuse, renderRefusal, unwrap } from './refusal.ts'
export { type RetryOptions, retry } from './retry.ts'
export { SeededRandom } from './seeded-random.ts'
export { systemClock } from './system-clock.ts'
export { childPath, createSystemFiles } from './system-files.ts'
export { systemRandom } from './system-random.ts'
export { formatBytes, GIB, MIB, parseBytes, parseHertz } from './units.ts'
export { VIRTUAL_EPOCH_MS, VirtualClock } from './virtual-clock.ts'
