/** What the table of behaviours declares. */

import type { Config } from '../../../config/index.ts'
import type { Cli } from '../../cli/command.ts'
import type { FlagTable, FlagValues } from '../../cli/flags.ts'

/** What a payload is made from, where flags alone do not do. */
export interface PayloadSource {
  readonly cli: Cli
  readonly config: Config
  /** Sends another message to the same destination and returns the reply's payload. */
  readonly ask: (behavior: string) => Promise<Record<string, unknown>>
}

/** Makes a payload with work that is loaded on demand: reading files, asking the node first. */
export interface PayloadMaker<T extends FlagTable> {
  make(flags: FlagValues<T>, source: PayloadSource): Promise<unknown>
}

/** One row: a behaviour with its flags and how they become its payload. */
export interface BehaviorSpec<T extends FlagTable = FlagTable> {
  readonly path: string
  readonly summary: string
  readonly flags?: T
  readonly oneOf?: readonly (readonly string[])[]
  readonly examples?: readonly string[]
  /** Topic, for a behaviour that is broadcast. */
  readonly topic?: string
  /** Message expiry from now when no flag says otherwise, in milliseconds. */
  readonly timeoutMs?: number
  /** The payload; absent means none. */
  payload?(flags: FlagValues<T>, given: ReadonlySet<string>): unknown
  /** Takes the place of `payload`. */
  prepare?(): Promise<PayloadMaker<T>>
}
