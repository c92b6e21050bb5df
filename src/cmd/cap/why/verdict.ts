/**
 * The verdict itself, from the code that decides for real: the tokens of the message are made by the sender's context and
 * judged by the receiver's. Only the signature is a stand-in that this one judgement takes for the sender's, so that
 * nobody has to unlock a key to ask a question.
 */

import { generateKey, type KeyType, type PublicKey } from '../../../lib/crypto/index.ts'
import { didOf, publicKeyOfDid } from '../../../lib/did/index.ts'
import {
  type CapabilityContext,
  type CapabilityFile,
  createCapabilityContext,
  formatTokenList,
  parseTokenList,
  type Token
} from '../../../lib/ucan/index.ts'
import type { Did, Refusal, Result } from '../../../types/index.ts'
import { bytesEqual, bytesToUtf8, unwrap, utf8ToBytes } from '../../../utils/index.ts'
import { RefusedError } from '../../cli/errors.ts'
import type { Circumstances } from './holdings.ts'
import type { Question } from './types.ts'

/** Bytes of a signature, about: what fits into a message depends on it (identity-and-actors §1.1, §2.6). */
const SIGNATURE_LENGTH: Readonly<Record<KeyType, number>> = {
  Ed25519: 64,
  Secp256k1: 71,
  Eth: 71,
  Cardano: 180
}

/** What the sender would present, newest delegations first, and what a receiver makes of it. */
export interface Judgement {
  /** Tokens for this message, each with its chain; the sender's own word is among them. */
  readonly presented: readonly Token[]
  /** The first that is enough. */
  readonly accepted: Token | undefined
  /** Why none is, as the receiver would say. */
  readonly refusal: Refusal | undefined
}

/** Makes the message's tokens and has `receiver` judge them; without a receiver nothing is judged. */
export async function judge(
  question: Question,
  sender: CapabilityFile,
  receiver: CapabilityFile | undefined,
  circumstances: Circumstances
): Promise<Judgement> {
  const { nowNs, random, keyOf = publicKeyOfDid } = circumstances
  const clock = { nowNs: () => nowNs }
  const key = knownKey(sender.did, keyOf)
  const standIn = random.bytes(SIGNATURE_LENGTH[key.type])
  const signer = { did: sender.did, sign: () => Promise.resolve(standIn) }
  const { context } = createCapabilityContext({ clock, random, owner: sender.did, signer, keyOf }, sender)
  // Each message of the command line comes from an actor of its own.
  const subject = didOf(generateKey(random).publicKey)
  const blob = await provide(context, question, subject)
  const presented = readTokens(blob).filter(token => token.action !== 'delegate')
  if (receiver === undefined) return { presented, accepted: undefined, refusal: undefined }

  const trusting = (did: Did): PublicKey => (did === sender.did ? accepting(key, standIn) : keyOf(did))
  const judging = createCapabilityContext(
    { clock, random, owner: receiver.did, keyOf: trusting },
    receiver
  ).context
  const verdict = authorize(judging, question, subject, blob)
  const accepted = verdict.ok
    ? presented.find(token => authorize(judging, question, subject, blobOf(token)).ok)
    : undefined
  return { presented, accepted, refusal: verdict.ok ? undefined : verdict.error }
}

async function provide(context: CapabilityContext, question: Question, subject: Did): Promise<Uint8Array> {
  const { receiver, behavior, topic, expiresAtNs } = question
  if (topic !== undefined)
    return await context.provideBroadcast({ subject, topic, expiresAtNs, broadcast: [behavior] })
  return await context.provideInvocation({
    target: receiver,
    subject,
    audience: receiver,
    expiresAtNs,
    invoke: [behavior],
    delegate: [`/private/user/${expiresAtNs}`]
  })
}

function authorize(
  context: CapabilityContext,
  { sender, receiver, behavior, topic }: Question,
  subject: Did,
  blob: Uint8Array
): Result<void> {
  const consumed = context.consume(sender, blob)
  if (!consumed.ok) return consumed
  const asked = { origin: sender, subject, capabilities: [behavior] }
  return topic === undefined
    ? context.authorizeInvocation({ ...asked, audience: receiver }, consumed.value)
    : context.authorizeBroadcast({ ...asked, topic }, consumed.value)
}

function blobOf(token: Token): Uint8Array {
  return utf8ToBytes(formatTokenList([token]))
}

function readTokens(blob: Uint8Array): Token[] {
  return unwrap(parseTokenList(bytesToUtf8(blob)), error => new RefusedError('unreadable tokens', error))
}

/** The key of a sender; one that cannot be looked up verifies nothing, so only its stand-in counts. */
function knownKey(did: Did, keyOf: (did: Did) => PublicKey): PublicKey {
  try {
    return keyOf(did)
  } catch {
    return { type: 'Ed25519', raw: new Uint8Array(), verify: () => false }
  }
}

/** The key of the sender, which takes the stand-in as well. Its tokens on file are signed for real. */
function accepting(key: PublicKey, standIn: Uint8Array): PublicKey {
  return {
    type: key.type,
    raw: key.raw,
    verify: (data, signature) => bytesEqual(signature, standIn) || key.verify(data, signature)
  }
}
