/**
 * Messages without the machinery of actors: reading, writing, signing. Its own door, because the command line
 * builds messages on its hot path and must not pay for schemas.
 *
 * @packageDocumentation
 */
export { ActorError, type ActorErrorCode } from '../errors.ts'
export { buildMessage, type MessageRequest } from './build-message.ts'
export { decodeEnvelope, encodeEnvelope } from './codec.ts'
export { MAX_ENVELOPE_BYTES, MAX_PAYLOAD_BYTES } from './constants.ts'
export {
  formatHandle,
  type HandleWire,
  handleFromWire,
  handlesEqual,
  handleToWire,
  isEmptyHandle
} from './handle.ts'
export { decodePayload, encodePayload, exactJson } from './payload.ts'
export { messageProtocol } from './protocol.ts'
export { type RefusalReply, readRefusalReply, refusalReply } from './refusal-reply.ts'
export { signEnvelope, signingBytes, verifyEnvelope } from './signature.ts'
export type { Envelope, EnvelopeOptions, UnsignedEnvelope } from './types.ts'
