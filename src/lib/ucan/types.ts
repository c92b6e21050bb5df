/** Capability tokens and the context that checks and makes them (identity-and-actors §5 to §7). */

import type { AbortOptions, ActorId, Did, PeerId, Refusal, Result } from '../../types/index.ts'
import type { Signer } from '../did/index.ts'

/** A capability or topic: a path such as `/dms/deployment`. `/a` implies `/a/b`, not `/ab`; `/` implies all. */
export type Capability = string

/** What a token lets its subject do: pass on, use on one receiver, use in a topic; or that a token is taken back. */
export type TokenAction = 'delegate' | 'invoke' | 'broadcast' | 'revoke'

/** One link of a chain, leaf outermost. `undefined` audience: anyone. Lists keep Go's difference between null and empty. */
export interface Token {
  readonly action: TokenAction | (string & {})
  readonly issuer: Did
  readonly subject: Did
  readonly audience: Did | undefined
  readonly topics: readonly Capability[]
  /** `null` is Go's nil list; it prints differently from the empty one and both appear in signed bytes. */
  readonly capabilities: readonly Capability[] | null
  readonly nonce: Uint8Array | null
  /** Unix nanoseconds. */
  readonly expiresAtNs: bigint
  /** Deepest chain position at which it may stand; 0 is unlimited. */
  readonly depth: bigint
  readonly chain: Token | undefined
  readonly signature: Uint8Array | undefined
}

/** Who asks whom for what: the facts of one message. */
export interface InvocationQuestion {
  /** `did` of the sender's handle. */
  readonly origin: Did
  /** DID derived from the sender's actor id. */
  readonly subject: Did
  /** DID derived from the receiver's actor id. */
  readonly audience: Did
  /** Any one of these suffices. */
  readonly capabilities: readonly Capability[]
}

/** The facts of one broadcast message. */
export interface BroadcastQuestion {
  readonly origin: Did
  readonly subject: Did
  readonly topic: Capability
  readonly capabilities: readonly Capability[]
}

/** Tokens taken from one message; they count only for that message. Release them when its handler is done. */
export interface ConsumedTokens {
  /** The token that let the message in, once it was authorised. */
  readonly proof?: Token | undefined
  release(): void
}

/**
 * Capability context of one owner DID (§7): anchors of trust, tokens of messages being handled, and the making
 * of tokens for outgoing messages. One per process; all its actors share it.
 */
export interface CapabilityContext {
  readonly owner: Did

  /**
   * What must be done before `consume`, when keys of issuers have to be looked up; `undefined` when nothing has to be
   * waited for. Only for chains that would be admitted here: a stranger's message makes nobody call out. Look-ups that
   * fail show in the verdict on the tokens.
   */
  lookupsFor(blob: Uint8Array): ((options?: AbortOptions) => Promise<void>) | undefined

  /** Looks up the keys of all issuers of tokens the owner gave, so that they can be anchored. Never fails for a key. */
  lookUp(tokens: readonly Token[], options?: AbortOptions): Promise<void>

  /**
   * Reads the token list of a message (at most 16 KiB), verifies each token that could matter and holds them for
   * the message. A malformed list is a refusal; tokens that do not verify are set aside with their reasons, which
   * show up when `authorizeInvocation` then refuses.
   */
  consume(origin: Did, blob: Uint8Array): Result<ConsumedTokens>

  /**
   * Whether tokens held now let the sender invoke one of the capabilities (§7.5). The refusal names each token and rule;
   * its `details.known` is true when a token shows that the sender belongs to a network trusted here, or that it did
   * until a link of its chain was revoked.
   */
  authorizeInvocation(question: InvocationQuestion, tokens: ConsumedTokens): Result<void>

  authorizeBroadcast(question: BroadcastQuestion, tokens: ConsumedTokens): Result<void>

  /** Token list for an outgoing message (§7.7); `delegate` are the reply capabilities the receiver gets back. */
  provideInvocation(request: {
    readonly target: Did
    readonly subject: Did
    readonly audience: Did
    readonly expiresAtNs: bigint
    readonly invoke: readonly Capability[]
    readonly delegate: readonly Capability[]
    /** Tokens of the message that is being answered: received reply delegations are chained on. */
    readonly tokens?: ConsumedTokens | undefined
  }): Promise<Uint8Array>

  /** Token list for a broadcast (§7.8). */
  provideBroadcast(request: {
    readonly subject: Did
    readonly topic: Capability
    readonly expiresAtNs: bigint
    readonly broadcast: readonly Capability[]
  }): Promise<Uint8Array>

  /**
   * Why no provide anchor backs such a broadcast; `undefined` when one does. Receivers that trust the owner itself
   * take it all the same.
   */
  lacksBroadcastProof(request: {
    readonly topic: Capability
    readonly capabilities: readonly Capability[]
  }): Refusal | undefined

  /** A self-signed token without chain (§7.9). */
  grant(request: TokenRequest): Promise<Token>

  /** Delegations chained on provide anchors (§7.9). A refusal says which anchors were tried and what each lacked. */
  delegate(request: TokenRequest & { readonly selfSign: 'no' | 'also' | 'only' }): Promise<Result<Token[]>>

  /** Revocation of a token this owner issued (§6.5). */
  revoke(token: Token): Promise<Result<Token>>

  /**
   * What this context makes of a token that is not part of a message: whether it verifies with the revocations known
   * here, and whether its chain is anchored in something trusted here (§7.3).
   */
  examine(token: Token): { readonly verdict: Result<void>; readonly admission: Result<void> }

  readonly anchors: Anchors
}

/** The fields of a token to be issued; issuer, nonce and signature follow from the context. */
export interface TokenRequest {
  readonly action: 'delegate' | 'invoke' | 'broadcast'
  readonly subject: Did
  readonly audience?: Did | undefined
  readonly topics: readonly Capability[]
  readonly capabilities: readonly Capability[]
  /** 0n in `delegate` takes each parent's own expiry. */
  readonly expiresAtNs: bigint
  readonly depth: bigint
}

/** Anchors of a context. Adding verifies; a token that does not verify is a refusal and nothing is changed. */
export interface Anchors {
  /** Whether the token and its chain hold now, by this context's keys and revocations. Says nothing about trust. */
  verify(token: Token): Result<void>
  readonly roots: readonly Did[]
  readonly require: readonly Token[]
  readonly provide: readonly Token[]
  readonly revoke: readonly Token[]
  addRoot(did: Did): boolean
  addRequire(tokens: readonly Token[]): Result<void>
  addProvide(tokens: readonly Token[]): Result<void>
  addRevoke(tokens: readonly Token[]): Result<void>
  removeRoot(did: Did): boolean
  /** By issuer and nonce. */
  removeRequire(token: Token): boolean
  removeProvide(token: Token): boolean
  /** Drops what has expired (§7.10); returns how many tokens went. */
  collectGarbage(): number
}

/** Everything in a capability file (§4.1), before it is verified. */
export interface CapabilityFile {
  readonly did: Did
  readonly roots: readonly Did[]
  readonly require: readonly Token[]
  readonly provide: readonly Token[]
  readonly revoke: readonly Token[]
  /** Entries that could not be read, as their JSON text, with the reason: reported, kept, never fatal. */
  readonly setAside: readonly SetAside[]
}

/** One entry of a capability file that could not be used. */
export interface SetAside {
  readonly list: 'roots' | 'require' | 'provide' | 'revoke'
  /** The entry as JSON text. */
  readonly text: string
  readonly reason: Refusal
}

/** How a capability file is opened. */
export interface FileAccess extends AbortOptions {
  /** Opens a sealed file. A function is asked only when the file is sealed, and before any lock is taken. */
  readonly signer?: Signer | (() => Promise<Signer>) | undefined
}

/**
 * Capability files by context name (§4), plain as existing clients read them or sealed for their owner. A sealed file
 * stays sealed, whoever changes it; without a signer it is UCAN_FILE_SEALED.
 */
export interface CapabilityStore {
  /**
   * The file, or `undefined` when there is none.
   * @throws CapabilityError UCAN_FILE_CORRUPT, UCAN_FILE_SEALED, UCAN_FILE_UNSUPPORTED, UCAN_WRONG_OWNER
   */
  load(name: string, access?: FileAccess): Promise<CapabilityFile | undefined>
  /**
   * Writes the file under its lock; the previous content stays as a backup.
   * @throws CapabilityError UCAN_FILE_FULL, here and in `update`, when it could not be read again
   * @param access `form` decides whether it is sealed; default: as the file it replaces, a new one plain.
   */
  save(
    name: string,
    file: CapabilityFile,
    access?: FileAccess & { form?: 'plain' | 'sealed' | undefined }
  ): Promise<void>
  /**
   * Loads, changes and saves under one lock, so that no change of another process is lost.
   * @throws CapabilityError UCAN_FILE_MISSING when there is no file to change; as `load`
   */
  update(
    name: string,
    change: (file: CapabilityFile) => CapabilityFile | Promise<CapabilityFile>,
    access?: FileAccess
  ): Promise<CapabilityFile>
  /** Seals a plain file and its backups; false when it is sealed already. @throws CapabilityError UCAN_SEAL_UNSUPPORTED */
  seal(name: string, access: FileAccess): Promise<boolean>
  /** Makes a sealed file plain again, to the byte; its older backups stay sealed. False when it is plain already. */
  unseal(name: string, access: FileAccess): Promise<boolean>
  exists(name: string): Promise<boolean>
  /** Whether the file is sealed; false when there is none. */
  isSealed(name: string): Promise<boolean>
  /** Whose context it is, sealed or not; `undefined` when there is none. Needs no key. */
  ownerOf(name: string): Promise<Did | undefined>
  /** Names of the contexts, sorted. */
  list(): Promise<string[]>
}

/** Shorthand used by callers that convert between spellings of one key. */
export interface KeyNames {
  readonly did: Did
  readonly peerId: PeerId
  readonly actorId: ActorId
}
