/**
 * Capability tokens (identity-and-actors §4 to §7): reading, verifying and issuing them, the context that decides
 * whether a message may do what it asks, and the files in which contexts live. A denial is a value, a `Refusal` tree
 * that says which token broke which rule.
 *
 * @example
 * ```ts
 * import { renderRefusal, systemClock as clock, systemRandom as random } from 'nunet-dms/base'
 * import { generateKey } from 'nunet-dms/crypto'
 * import { keySigner } from 'nunet-dms/did'
 * import { createCapabilityContext } from 'nunet-dms/ucan'
 *
 * function party() {
 *   const signer = keySigner(generateKey(random))
 *   return createCapabilityContext({ clock, random, owner: signer.did, signer }).context
 * }
 * const here = party()
 * const friend = party()
 * here.anchors.addRoot(friend.owner)
 *
 * for (const sender of [friend, party()]) {
 *   const parties = { subject: sender.owner, audience: here.owner }
 *   const names = { invoke: ['/public/hello'], delegate: [] }
 *   const expiresAtNs = clock.nowNs() + 30_000_000_000n
 *   const blob = await sender.provideInvocation({ ...parties, ...names, target: here.owner, expiresAtNs })
 *   const consumed = here.consume(sender.owner, blob)
 *   if (!consumed.ok) throw new Error(renderRefusal(consumed.error))
 *   const question = { ...parties, origin: sender.owner, capabilities: names.invoke }
 *   console.log(here.authorizeInvocation(question, consumed.value).ok) // true, then false
 *   consumed.value.release()
 * }
 * ```
 *
 * @packageDocumentation
 */
export { impliesCapability } from './capability.ts'
export {
  contextToFile,
  emptyCapabilityFile,
  formatCapabilityFile,
  parseCapabilityFile
} from './capability-file.ts'
export { createCapabilityStore } from './capability-store.ts'
export { chainExpiry, chainOf, revocationKey } from './chain.ts'
export { MAX_BLOB_LENGTH, MAX_CHAIN_LENGTH } from './constants.ts'
export { type CapabilityContextDeps, createCapabilityContext, type LoadedContext } from './context.ts'
export { coversProvide, coversRequire, remainingSteps } from './cover.ts'
export { CapabilityError, type CapabilityErrorCode } from './errors.ts'
export { type KeyLookup, lookUpIssuers, withOwnKey } from './lookups.ts'
export { formatToken, formatTokenList, parseToken, parseTokenList, signingBytes } from './token-json.ts'
export type {
  Anchors,
  BroadcastQuestion,
  Capability,
  CapabilityContext,
  CapabilityFile,
  CapabilityStore,
  ConsumedTokens,
  FileAccess,
  InvocationQuestion,
  KeyNames,
  SetAside,
  Token,
  TokenAction,
  TokenRequest
} from './types.ts'
export { VerifiedChains } from './verified-chains.ts'
export { type VerifyOptions, verifyToken } from './verify.ts'
