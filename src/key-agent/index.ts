/**
 * The key agent: a process of this user that holds unlocked keys for a while and signs tokens with them, so that
 * commands need neither passphrase nor key derivation. It is off unless someone starts it, signs nothing but tokens and the
 * keys of sealed capability files, and gives no key out.
 *
 * @example
 * ```ts
 * const found = findSocket({ userDirectory, runtimeDirectory })
 * if (found !== undefined && 'path' in found) {
 *   using client = new KeyAgentClient({ clock: systemClock }, found)
 *   const signer = await client.signer('user') // undefined: locked
 * }
 * ```
 *
 * @packageDocumentation
 */
export { KeyAgent, type KeyAgentDeps, type KeyAgentOptions } from './agent.ts'
export { KeyAgentClient, type UnlockRequest } from './client.ts'
export { KeyAgentError, type KeyAgentErrorCode } from './errors.ts'
export { findProcess, ownSession } from './session-leader.ts'
export { type FoundSocket, findSocket, type PlaceOptions } from './socket-place.ts'
export { openSystemGuard } from './system-guard.ts'
export type { EndReason, HeldKeyStatus, KeyAgentStatus, SessionLeader, SystemGuard } from './types.ts'
