/** Contracts of the key agent: what the system must tell it, what it tells about itself. */

import type { Socket } from 'node:net'
import type { Did } from '../types/index.ts'

/** What only the operating system knows. */
export interface SystemGuard {
  /** User id of the process at the other end of a Unix socket, as the kernel recorded it. @throws KeyAgentError */
  peerUid(socket: Socket): number
  /** Keeps other processes of this user from reading the memory of this one, and its crash from leaving a dump. @throws KeyAgentError */
  protectMemory(): void
  /** Keeps every open descriptor but the standard ones from programs that are started from now on, as far as the system can. */
  isolateDescriptors(): void
}

/** A process whose end ends the agent: the leader of the login session it was started in. */
export interface SessionLeader {
  readonly pid: number
  /** When it started, in clock ticks since boot (proc(5)); tells it from a later process with its number. */
  readonly startTicks: string
}

/** A key the agent holds. Times are milliseconds since the epoch. */
export interface HeldKeyStatus {
  readonly name: string
  readonly did: Did
  readonly unlockedAtMs: number
  /** When it is dropped unless it signs before. */
  readonly idleUntilMs: number
  /** When it is dropped in any case. */
  readonly endsAtMs: number
}

/** What a running agent says about itself. Times are milliseconds since the epoch. */
export interface KeyAgentStatus {
  readonly pid: number
  /** Time without use after which a key is dropped, and without keys after which the agent ends. */
  readonly idleMs: number
  readonly endsAtMs: number
  readonly keys: readonly HeldKeyStatus[]
}

/** Why an agent ended. */
export type EndReason =
  /** It held no key for as long as a key may be idle. */
  | 'idle'
  /** Its time was over. */
  | 'lifetime'
  /** Its socket is gone or another's. */
  | 'socket'
  /** The session it was started in is over. */
  | 'session'
  /** It was asked to. */
  | 'asked'
