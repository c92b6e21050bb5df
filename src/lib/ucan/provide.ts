/** Token lists of outgoing messages (identity-and-actors §7.7, §7.8). */

import type { Did, Refusal } from '../../types/index.ts'
import { refusal, utf8ToBytes } from '../../utils/index.ts'
import { isAnchoredIn } from './admission.ts'
import { MAX_BLOB_LENGTH, MAX_INTRODUCTIONS, MAX_PROOFS, MAX_REASONS, REPLY_DEPTH } from './constants.ts'
import { listed, shortDid } from './describe.ts'
import { CapabilityError } from './errors.ts'
import { HeldTokens } from './held-tokens.ts'
import { type ChainRequest, chainFault, findChainFault, type TokenDraft, type TokenIssuer } from './issue.ts'
import { formatToken, listOfTexts } from './token-json.ts'
import type { TrustAnchors } from './trust.ts'
import type { Capability, CapabilityContext, Token } from './types.ts'

type InvocationRequest = Parameters<CapabilityContext['provideInvocation']>[0]
type BroadcastRequest = Parameters<CapabilityContext['provideBroadcast']>[0]

/** A draft that names what it is for. */
type MessageDraft = TokenDraft & { readonly capabilities: readonly Capability[] }

/** Bytes of `{"tok":[` and `]}`. */
const LIST_OVERHEAD = 10

/**
 * Invocations chained on received reply delegations, then on provide anchors, then a self-signed one; then the reply
 * delegation. The self-signed one is always there: dynamic grants and the receiver's own roots rely on it (§11.3).
 */
export async function provideInvocation(
  request: InvocationRequest,
  trust: TrustAnchors,
  issuer: TokenIssuer
): Promise<Uint8Array> {
  requireNames(request.invoke)
  const draft: MessageDraft = {
    action: 'invoke',
    subject: request.subject,
    audience: request.audience,
    topics: [],
    capabilities: request.invoke,
    expiresAtNs: request.expiresAtNs,
    depth: 0n,
    chain: undefined
  }
  const replies = HeldTokens.read(request.tokens, trust).tokens.filter(token =>
    isAnchoredIn(token, request.target)
  )
  const parents = findParents(draft, replies, trust)
  const always = [await issuer.issue(draft)]
  if (request.delegate.length > 0) always.push(await issuer.issue(replyDelegation(request)))
  const introduction = parents.length > 0 ? [] : await introduce(draft, trust, issuer)
  return await assemble(draft, parents, [...introduction, ...always], issuer)
}

/**
 * A caller that holds nothing for what it asks still shows whom it has its powers from: an invocation of something it
 * does hold, for this message's actor and receiver only. A receiver of the same network then tells it what it lacks;
 * without it the caller would look like a stranger and get silence.
 */
async function introduce(draft: TokenDraft, trust: TrustAnchors, issuer: TokenIssuer): Promise<Token[]> {
  const proofs: Token[] = []
  for (const parent of trust.provideIndex.heldBy(trust.owner, draft.audience)) {
    const capabilities = parent.capabilities?.slice(0, 1) ?? []
    if (capabilities.length === 0 || !canBack(parent, { ...draft, capabilities, steps: 1n }, trust)) continue
    proofs.push(await issuer.issue({ ...draft, capabilities, chain: parent }))
    if (proofs.length >= MAX_INTRODUCTIONS) break
  }
  return proofs
}

/** Broadcasts chained on provide anchors, then a self-signed one. */
export async function provideBroadcast(
  request: BroadcastRequest,
  trust: TrustAnchors,
  issuer: TokenIssuer
): Promise<Uint8Array> {
  requireNames(request.broadcast)
  const draft: MessageDraft = {
    action: 'broadcast',
    subject: request.subject,
    audience: undefined,
    topics: [request.topic],
    capabilities: request.broadcast,
    expiresAtNs: request.expiresAtNs,
    depth: 0n,
    chain: undefined
  }
  return await assemble(draft, findParents(draft, [], trust), [await issuer.issue(draft)], issuer)
}

/** What each provide anchor lacks for such a broadcast, made now; `undefined` when one suffices. */
export function lacksBroadcastProof(
  request: Parameters<CapabilityContext['lacksBroadcastProof']>[0],
  trust: TrustAnchors
): Refusal | undefined {
  const { topic, capabilities } = request
  // Time is left to `recheck`: a message lives for seconds.
  const asked: ChainRequest = {
    audience: undefined,
    topics: [topic],
    capabilities,
    expiresAtNs: 0n,
    steps: 1n
  }
  const faults: Refusal[] = []
  for (const parent of trust.provide) {
    const fault = trust.recheck(parent) ?? chainFault(parent, trust.owner, asked)
    if (fault === undefined) return undefined
    if (faults.length < MAX_REASONS) faults.push(fault)
  }
  const reason = `${shortDid(trust.owner)} holds no token to broadcast ${listed(capabilities)} on ${listed([topic])}`
  return refusal('UCAN_NO_PROOF', reason, { causes: faults, details: { topic, capabilities } })
}

function replyDelegation(request: InvocationRequest): TokenDraft {
  return {
    action: 'delegate',
    subject: request.target,
    audience: request.subject,
    topics: [],
    capabilities: request.delegate,
    expiresAtNs: request.expiresAtNs,
    depth: REPLY_DEPTH,
    chain: undefined
  }
}

/** Adds chained proofs in front of `always`, as many as the receiver's size limit allows. */
async function assemble(
  draft: TokenDraft,
  parents: readonly Token[],
  always: readonly Token[],
  issuer: TokenIssuer
): Promise<Uint8Array> {
  const last = always.map(formatToken)
  const chained: string[] = []
  let size = last.reduce((sum, text) => sum + sizeOf(text), LIST_OVERHEAD)
  for (const parent of parents) {
    const text = formatToken(await issuer.issue({ ...draft, chain: parent }))
    if (size + sizeOf(text) > MAX_BLOB_LENGTH) continue
    size += sizeOf(text)
    chained.push(text)
  }
  return utf8ToBytes(listOfTexts([...chained, ...last]))
}

/** Bytes of a token in a list, with its comma. */
function sizeOf(text: string): number {
  return Buffer.byteLength(text) + 1
}

/**
 * Up to `MAX_PROOFS` tokens that back the draft: reply delegations first, then provide anchors, oldest first. One that
 * fills a message by itself takes no place.
 */
function findParents(draft: MessageDraft, replies: readonly Token[], trust: TrustAnchors): Token[] {
  const request: ChainRequest = { ...draft, steps: 1n }
  const parents = replies.filter(parent => canBack(parent, request, trust)).slice(0, MAX_PROOFS)
  const [first = '/'] = draft.capabilities
  for (const parent of trust.provideIndex.find(trust.owner, draft.audience, first)) {
    if (parents.length >= MAX_PROOFS) break
    if (canBack(parent, request, trust) && sizeOf(formatToken(parent)) < MAX_BLOB_LENGTH) parents.push(parent)
  }
  return parents
}

function canBack(parent: Token, request: ChainRequest, trust: TrustAnchors): boolean {
  return findChainFault(parent, trust.owner, request) === undefined && trust.recheck(parent) === undefined
}

function requireNames(names: readonly Capability[]): void {
  if (names.length > 0 && !names.includes('')) return
  throw new CapabilityError('UCAN_INVALID_REQUEST', 'a message needs the names of the capabilities it uses')
}

/** Provide anchors that back a delegation, and what each of the others lacks. */
export function delegationParents(
  request: Omit<ChainRequest, 'steps'>,
  owner: Did,
  trust: TrustAnchors
): { usable: Token[]; faults: NonNullable<ReturnType<typeof chainFault>>[] } {
  const usable: Token[] = []
  const faults: NonNullable<ReturnType<typeof chainFault>>[] = []
  for (const parent of trust.provide) {
    const fault = trust.recheck(parent) ?? chainFault(parent, owner, { ...request, steps: 2n })
    if (fault === undefined) usable.push(parent)
    else if (faults.length < MAX_REASONS) faults.push(fault)
  }
  return { usable, faults }
}
