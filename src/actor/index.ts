/**
 * NuActor: actors that exchange signed messages, each authorised by the capability tokens it carries.
 *
 * @example
 * ```ts
 * const root = createRootActor({ network, context, privateKey, clock, random, log })
 * await root.start()
 * root.addBehavior({ path: '/public/hello', request: z.unknown(), handle: () => ({ DID: { uri: context.owner } }) })
 * const reply = await root.invoke(rootHandleOfPeer(peer), '/public/hello', {})
 * if (!reply.ok) console.log(renderRefusal(reply.error))
 * ```
 *
 * @packageDocumentation
 */
export { MESSAGE_LIFE_MS, REPLY_PREFIX, ROOT_INBOX } from './constants.ts'
export { createGateway, type GatewayDeps } from './gateway.ts'
export {
  ActorError,
  type ActorErrorCode,
  buildMessage,
  decodeEnvelope,
  decodePayload,
  encodeEnvelope,
  encodePayload,
  exactJson,
  formatHandle,
  type HandleWire,
  handleFromWire,
  handlesEqual,
  handleToWire,
  isEmptyHandle,
  MAX_ENVELOPE_BYTES,
  MAX_PAYLOAD_BYTES,
  type MessageRequest,
  messageProtocol,
  type RefusalReply,
  readRefusalReply,
  refusalReply,
  signEnvelope,
  signingBytes,
  type UnsignedEnvelope,
  verifyEnvelope
} from './message/index.ts'
export { createRootActor, type RootActorDeps } from './root-actor.ts'
export type {
  Actor,
  Behavior,
  ChildActor,
  ConsumedTokens,
  Envelope,
  EnvelopeOptions,
  Gateway,
  InvokeOptions,
  LimiterOptions,
  MessageContext,
  Reply,
  RootActor,
  RootActorOptions
} from './types.ts'
