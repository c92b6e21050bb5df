/** The capability context: anchors, verdicts and token making of one owner DID (identity-and-actors §7). */

import type { AbortOptions, Clock, Did, RandomSource, Refusal, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import type { PublicKey } from '../crypto/index.ts'
import type { Signer } from '../did/index.ts'
import { checkAdmission } from './admission.ts'
import { authorizeBroadcast, authorizeInvocation } from './authorize.ts'
import { requireIssuable } from './capability.ts'
import { MAX_NAMES, MAX_REASONS } from './constants.ts'
import { listed, shortDid, tokenRefusal } from './describe.ts'
import { CapabilityError } from './errors.ts'
import { consumeBlob } from './held-tokens.ts'
import { TokenIssuer } from './issue.ts'
import { type KeyLookup, lookUpIssuers, lookupsForMessage } from './lookups.ts'
import { delegationParents, lacksBroadcastProof, provideBroadcast, provideInvocation } from './provide.ts'
import { formatToken } from './token-json.ts'
import { TrustAnchors } from './trust.ts'
import type {
  BroadcastQuestion,
  CapabilityContext,
  CapabilityFile,
  ConsumedTokens,
  InvocationQuestion,
  SetAside,
  Token,
  TokenRequest
} from './types.ts'

/** What a context works with. Without `signer` it verifies and anchors but cannot issue. */
export interface CapabilityContextDeps {
  readonly clock: Pick<Clock, 'nowNs'>
  readonly random: RandomSource
  readonly owner: Did
  readonly signer?: Signer | undefined
  /**
   * Key of an issuer; throws when it is unknown. Default: the key inside a `did:key`. Other methods put a cache of
   * resolved keys here; verification never waits.
   */
  readonly keyOf?: ((did: Did) => PublicKey) | undefined
  /** Looks up a key that is not in its DID, so that `keyOf` has it from then on. Default: none can be looked up. */
  readonly resolveKey?: KeyLookup['resolveKey']
}

/** A context with what could not be taken from its file. */
export interface LoadedContext {
  readonly context: CapabilityContext
  /** One reason for each entry that was left out, expired ones included. */
  readonly problems: readonly Refusal[]
  /** Entries to keep in the file: those that could not be read or verified. Expired and revoked ones are not kept. */
  readonly setAside: readonly SetAside[]
}

/**
 * Makes a context, empty or from a file. Every token of the file is verified; one that fails is left out and
 * reported, never fatal.
 * @throws CapabilityError UCAN_WRONG_OWNER when signer or file belong to another DID.
 */
export function createCapabilityContext(deps: CapabilityContextDeps, file?: CapabilityFile): LoadedContext {
  if (file !== undefined && file.did !== deps.owner) {
    const message = `the capability file belongs to ${shortDid(file.did)}, not to ${shortDid(deps.owner)}`
    throw new CapabilityError('UCAN_WRONG_OWNER', message, { hint: 'use the key the context was made with' })
  }
  const context = new OwnedContext(deps)
  if (file === undefined) return { context, problems: [], setAside: [] }
  const failed = loadAnchors(context.anchors, file)
  return {
    context,
    problems: [...file.setAside, ...failed].map(entry => entry.reason),
    setAside: [...file.setAside, ...failed.filter(entry => !GONE_FOR_GOOD.has(entry.reason.code))]
  }
}

const GONE_FOR_GOOD: ReadonlySet<string> = new Set(['UCAN_EXPIRED', 'UCAN_REVOKED'])

/** Revocations come first, so that what they revoke is never taken in (§4.2). */
function loadAnchors(anchors: TrustAnchors, file: CapabilityFile): SetAside[] {
  for (const root of file.roots) anchors.addRoot(root)
  const failed: SetAside[] = []
  const load = (
    list: SetAside['list'],
    tokens: readonly Token[],
    add: (token: readonly Token[]) => Result<void>
  ): void => {
    for (const token of tokens) {
      const verdict = add([token])
      if (!verdict.ok) failed.push({ list, text: formatToken(token), reason: verdict.error })
    }
  }
  load('revoke', file.revoke, tokens => anchors.addRevoke(tokens))
  load('require', file.require, tokens => anchors.addRequire(tokens))
  load('provide', file.provide, tokens => anchors.addProvide(tokens))
  return failed
}

class OwnedContext implements CapabilityContext {
  readonly owner: Did
  readonly anchors: TrustAnchors
  readonly #issuer: TokenIssuer
  readonly #lookup: KeyLookup

  constructor({ clock, random, owner, signer, keyOf, resolveKey }: CapabilityContextDeps) {
    this.owner = owner
    this.#lookup = { keyOf, resolveKey }
    this.anchors = new TrustAnchors({ clock, keyOf }, { owner })
    this.#issuer = new TokenIssuer({ random, signer, keyOf }, { owner })
  }

  lookupsFor(blob: Uint8Array): ((options?: AbortOptions) => Promise<void>) | undefined {
    return lookupsForMessage(blob, this.anchors, this.#lookup)
  }

  async lookUp(tokens: readonly Token[], options: AbortOptions = {}): Promise<void> {
    await lookUpIssuers(tokens, this.#lookup, options)
  }

  examine(token: Token): { readonly verdict: Result<void>; readonly admission: Result<void> } {
    const foreign = checkAdmission(token, this.anchors)
    return {
      verdict: this.anchors.verify(token),
      admission: foreign === undefined ? ok(undefined) : refuse(foreign)
    }
  }

  consume(origin: Did, blob: Uint8Array): Result<ConsumedTokens> {
    return consumeBlob(origin, blob, this.anchors)
  }

  authorizeInvocation(question: InvocationQuestion, tokens: ConsumedTokens): Result<void> {
    return authorizeInvocation(question, tokens, this.anchors)
  }

  authorizeBroadcast(question: BroadcastQuestion, tokens: ConsumedTokens): Result<void> {
    return authorizeBroadcast(question, tokens, this.anchors)
  }

  provideInvocation(request: Parameters<CapabilityContext['provideInvocation']>[0]): Promise<Uint8Array> {
    return provideInvocation(request, this.anchors, this.#issuer)
  }

  provideBroadcast(request: Parameters<CapabilityContext['provideBroadcast']>[0]): Promise<Uint8Array> {
    return provideBroadcast(request, this.anchors, this.#issuer)
  }

  lacksBroadcastProof(
    request: Parameters<CapabilityContext['lacksBroadcastProof']>[0]
  ): ReturnType<CapabilityContext['lacksBroadcastProof']> {
    return lacksBroadcastProof(request, this.anchors)
  }

  async grant(request: TokenRequest): Promise<Token> {
    checkRequest(request)
    if (request.expiresAtNs === 0n) throw withoutExpiry()
    return await this.#issuer.issueChecked(draftOf(request, request.action))
  }

  async delegate(
    request: TokenRequest & { readonly selfSign: 'no' | 'also' | 'only' }
  ): Promise<Result<Token[]>> {
    checkRequest(request)
    if (request.selfSign !== 'no' && request.expiresAtNs === 0n) throw withoutExpiry()
    if (request.capabilities.length === 0) return ok([])
    const tokens: Token[] = []
    const { usable, faults } = request.selfSign === 'only' ? NO_PARENTS : this.#parentsFor(request)
    for (const chain of usable) {
      const expiresAtNs = request.expiresAtNs === 0n ? chain.expiresAtNs : request.expiresAtNs
      tokens.push(await this.#issuer.issueChecked({ ...draftOf(request, 'delegate'), expiresAtNs, chain }))
    }
    if (request.selfSign !== 'no') tokens.push(await this.#issuer.issueChecked(draftOf(request, 'delegate')))
    return tokens.length > 0 ? ok(tokens) : refuse(nothingToDelegate(request, faults))
  }

  async revoke(token: Token): Promise<Result<Token>> {
    if (token.issuer !== this.owner) {
      const reason = `was issued by ${shortDid(token.issuer)}; only that DID can revoke it`
      return refuse(
        tokenRefusal('UCAN_NOT_ISSUER', token, 0, reason, { asked: this.owner, held: token.issuer })
      )
    }
    if (token.action === 'revoke' || token.nonce === null) {
      return refuse(
        tokenRefusal('UCAN_NOT_REVOCABLE', token, 0, 'is a revocation, or has no nonce to revoke it by')
      )
    }
    const { subject, capabilities, expiresAtNs, nonce } = token
    const rest = { audience: undefined, topics: [], depth: 0n, chain: undefined }
    return ok(
      await this.#issuer.issueChecked({
        action: 'revoke',
        subject,
        capabilities,
        expiresAtNs,
        nonce,
        ...rest
      })
    )
  }

  #parentsFor(request: TokenRequest): ReturnType<typeof delegationParents> {
    const { audience, topics, capabilities, expiresAtNs } = request
    return delegationParents({ audience, topics, capabilities, expiresAtNs }, this.owner, this.anchors)
  }
}

const NO_PARENTS: ReturnType<typeof delegationParents> = { usable: [], faults: [] }

function draftOf(request: TokenRequest, action: TokenRequest['action']) {
  const { subject, audience, topics, capabilities, expiresAtNs, depth } = request
  return { action, subject, audience, topics, capabilities, expiresAtNs, depth, chain: undefined }
}

function checkRequest({ capabilities, topics }: TokenRequest): void {
  for (const name of [...capabilities, ...topics]) requireIssuable(name)
  if (capabilities.length > MAX_NAMES || topics.length > MAX_NAMES) {
    throw new CapabilityError(
      'UCAN_INVALID_REQUEST',
      `a token holds at most ${MAX_NAMES} capabilities and topics`
    )
  }
}

function withoutExpiry(): CapabilityError {
  return new CapabilityError('UCAN_INVALID_REQUEST', 'a self-signed token needs an expiry', {
    hint: "add '--expiry 2027-12-31' or '--duration 24h'"
  })
}

function nothingToDelegate(request: TokenRequest, faults: readonly Refusal[]): Refusal {
  const topics = request.topics.length > 0 ? ` with the topics ${listed(request.topics)}` : ''
  const held = faults.length === 0 ? 'there are no provide anchors' : 'no provide anchor allows it'
  return refusal('UCAN_NOT_AUTHORIZED', `cannot delegate ${listed(request.capabilities)}${topics}: ${held}`, {
    details: { subject: request.subject, capabilities: request.capabilities, topics: request.topics },
    causes: faults.slice(0, MAX_REASONS)
  })
}
