/**
 * Revocations that travel: a node keeps those that concern it, hands them on to whoever asks, asks those it meets for
 * what it missed, and knows how old its knowledge is.
 *
 * @packageDocumentation
 */
export {
  LACKING_BEHAVIOR,
  MAX_PER_MESSAGE,
  REVOCATION_TOPIC,
  REVOKE_BEHAVIOR
} from './constants.ts'
export { lackingRequestSchema, readFewOffers, readTokens } from './exchange.ts'
export { GrantRevokedError } from './grant-basis.ts'
export { type BroadcastReport, type RevocationServiceDeps, Revocations } from './service.ts'
export type {
  AnchorKeeper,
  KnowledgeStatus,
  KnownRevocation,
  NewAnchors,
  Offer,
  OfferReport
} from './types.ts'
