/** Making and signing tokens. */

import type { Did, RandomSource, Refusal } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import type { PublicKey } from '../crypto/index.ts'
import { publicKeyOfDid, type Signer } from '../did/index.ts'
import { anyImplies } from './capability.ts'
import { chainExpiry, toleratesDepth } from './chain.ts'
import { NONCE_LENGTH } from './constants.ts'
import { listed, quoted, shortDid, timeOf, tokenRefusal } from './describe.ts'
import { CapabilityError } from './errors.ts'
import { signingBytes } from './token-json.ts'
import type { Token } from './types.ts'

/** The fields a caller decides; issuer, nonce and signature are added. */
export type TokenDraft = Omit<Token, 'issuer' | 'nonce' | 'signature'> & { readonly nonce?: Uint8Array }

type SignedToken = Token & { readonly signature: Uint8Array }

export interface IssuerDeps {
  readonly random: RandomSource
  readonly signer?: Signer | undefined
  readonly keyOf?: ((did: Did) => PublicKey) | undefined
}

/** Signs tokens for one DID. */
export class TokenIssuer {
  readonly #random: RandomSource
  readonly #owner: Did
  readonly #signer: Signer | undefined
  readonly #keyOf: (did: Did) => PublicKey

  constructor(deps: IssuerDeps, options: { owner: Did }) {
    if (deps.signer !== undefined && deps.signer.did !== options.owner) {
      throw new CapabilityError(
        'UCAN_WRONG_OWNER',
        `the capability context belongs to ${shortDid(options.owner)}, the key to ${shortDid(deps.signer.did)}`,
        {
          hint: 'use the key the context was made with',
          details: { owner: options.owner, signer: deps.signer.did }
        }
      )
    }
    this.#random = deps.random
    this.#signer = deps.signer
    this.#keyOf = deps.keyOf ?? publicKeyOfDid
    this.#owner = options.owner
  }

  async issue(draft: TokenDraft): Promise<SignedToken> {
    if (this.#signer === undefined) {
      throw new CapabilityError('UCAN_NO_SIGNER', `there is no key to sign for ${shortDid(this.#owner)}`, {
        hint: 'open the key of the context first'
      })
    }
    const unsigned = { nonce: this.#random.bytes(NONCE_LENGTH), ...draft, issuer: this.#owner }
    const signature = await this.#signer.sign(signingBytes(unsigned))
    return Object.freeze({ ...unsigned, signature })
  }

  /** Issues and checks the signature: for tokens that leave the process for good, where a wallet may have erred. */
  async issueChecked(draft: TokenDraft): Promise<Token> {
    const token = await this.issue(draft)
    if (!this.#isSigned(token)) {
      throw new CapabilityError(
        'UCAN_SIGNER_FAILED',
        `the signature does not belong to ${shortDid(this.#owner)}`,
        {
          hint: 'check that the wallet uses the account of this context'
        }
      )
    }
    return token
  }

  #isSigned(token: SignedToken): boolean {
    try {
      return this.#keyOf(token.issuer).verify(signingBytes(token), token.signature)
    } catch (cause) {
      throw new CapabilityError(
        'UCAN_SIGNER_FAILED',
        `the signature cannot be checked: ${errorMessage(cause)}`,
        { cause }
      )
    }
  }
}

/** What is to be chained on a parent. */
export type ChainRequest = Pick<Token, 'audience' | 'topics' | 'expiresAtNs'> & {
  readonly capabilities: readonly string[]
  /** Positions the parent moves from the leaf: 1 below an invocation, 2 below a delegation (§6.3). */
  readonly steps: bigint
}

/** Why `parent` cannot back the request; `undefined` when it can. */
export function chainFault(parent: Token, owner: Did, request: ChainRequest): Refusal | undefined {
  return findChainFault(parent, owner, request)?.()
}

/**
 * As `chainFault`, but put into words only when called: among many anchors most do not fit, and nobody asks why.
 * Mirrors §6.2, so no dead ends are issued.
 */
export function findChainFault(
  parent: Token,
  owner: Did,
  request: ChainRequest
): (() => Refusal) | undefined {
  const say = (code: string, reason: () => string, asked: unknown, held: unknown) => (): Refusal =>
    tokenRefusal(code, parent, 0, reason(), { asked, held })
  if (parent.action !== 'delegate')
    return say('UCAN_CHAIN_ACTION', () => `is for ${quoted(parent.action)}`, 'delegate', parent.action)
  if (parent.subject !== owner) {
    return say(
      'UCAN_CHAIN_ISSUER',
      () => `was given to ${shortDid(parent.subject)}, not to ${shortDid(owner)}`,
      owner,
      parent.subject
    )
  }
  const capability = request.capabilities.find(name => !anyImplies(parent.capabilities ?? [], name))
  if (capability !== undefined) {
    return say(
      'UCAN_CAPABILITY_WIDENED',
      () => `covers ${listed(parent.capabilities)}, not ${listed([capability])}`,
      capability,
      parent.capabilities
    )
  }
  const topic = request.topics.find(name => !anyImplies(parent.topics, name))
  if (topic !== undefined) {
    return say(
      'UCAN_TOPIC_WIDENED',
      () => `covers the topics ${listed(parent.topics)}, not ${listed([topic])}`,
      topic,
      parent.topics
    )
  }
  if (parent.audience !== undefined && parent.audience !== request.audience) {
    return say(
      'UCAN_AUDIENCE_WIDENED',
      () => `is only for ${shortDid(parent.audience)}`,
      request.audience ?? null,
      parent.audience
    )
  }
  const limit = chainExpiry(parent)
  if (limit < request.expiresAtNs) {
    return say(
      'UCAN_CHAIN_EXPIRY',
      () => `ends at ${timeOf(limit)}, before ${timeOf(request.expiresAtNs)}`,
      String(request.expiresAtNs),
      String(limit)
    )
  }
  if (!toleratesDepth(parent, request.steps)) {
    const what = request.steps === 1n ? 'used' : 'delegated further'
    return say(
      'UCAN_DEPTH',
      () => `cannot be ${what}: a depth in its chain is used up`,
      String(request.steps),
      String(parent.depth)
    )
  }
  return undefined
}
