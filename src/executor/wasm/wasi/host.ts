/** What the calls of a module rest on. */

/** Everything the outside world is, for a module. */
export interface WasiHost {
  readonly args: readonly string[]
  /** `NAME=value` each. */
  readonly environment: readonly string[]
  readonly stdin: Uint8Array
  /** Takes output of stream 1 or 2; throws `ProcessEnd` when its bound is reached. */
  write(stream: 1 | 2, bytes: Uint8Array): void
  realtimeNs(): bigint
  monotonicNs(): bigint
  /** Blocks this thread. */
  sleepNs(ns: bigint): void
  random(length: number): Uint8Array
  /** Tells that the module ended itself; `ProcessEnd` is thrown after it. */
  exit(code: number): void
}

/** Unwinds the module: it ended itself, or has to end. A module with exception handling can catch it, so nobody may rely on that. */
export class ProcessEnd extends Error {
  override readonly name = 'ProcessEnd'
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`process ended with code ${exitCode}`)
    this.exitCode = exitCode
  }
}
