/**
 * Capability tokens (identity-and-actors §4 to §7): reading, verifying and issuing them, the context that decides
 * whether a message may do what it asks, and the files in which contexts live. A denial is a value, a `Refusal` tree
 * that says which token broke which rule.
 *
 * @example
 * ```ts
 * const { context } = createCapabilityContext({ clock, random, owner: signer.did, signer })
 * context.anchors.addRoot(friend)
 * const consumed = context.consume(origin, blob)
 * if (consumed.ok) context.authorizeInvocation({ origin, subject, audience, capabilities: ['/public/hello'] }, consumed.value)
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
export { CapabilityError, type CapabilityErrorCode } from './errors.ts'
export { formatToken, formatTokenList, parseToken, parseTokenList, signingBytes } from './token-json.ts'
export type {
  Anchors,
  BroadcastQuestion,
  Capability,
  CapabilityContext,
  CapabilityFile,
  CapabilityStore,
  ConsumedTokens,
  InvocationQuestion,
  KeyNames,
  SetAside,
  Token,
  TokenAction,
  TokenRequest
} from './types.ts'
export { VerifiedChains } from './verified-chains.ts'
export { type VerifyOptions, verifyToken } from './verify.ts'
