/** What a host of the in-process network needs from the hub. */

import type { Clock, Logger, PeerId } from '../../types/index.ts'

export interface Medium<Member> {
  readonly clock: Clock
  readonly log: Logger | undefined
  readonly dialLimitMs: number
  /** Delay of the next thing sent, in milliseconds. */
  latencyMs(): number
  /** Draws whether the next message is lost. */
  loses(): boolean
  isCut(a: PeerId, b: PeerId): boolean
  /** The running host of that name which `from` can reach now. */
  reach(from: PeerId, to: PeerId): Member | undefined
  /** Connects two hosts; does nothing when they are connected. */
  link(a: Member, b: Member): void
  join(member: Member): void
  leave(member: Member): void
}
