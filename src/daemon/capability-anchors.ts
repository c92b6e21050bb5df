/**
 * The node's capability context and its file. The file belongs to the user and the CLI; the daemon reads it at
 * start and again when it is told, and applies what changed without touching the dynamic grants of deployments. What
 * an administrator or the network adds to a running node goes the same way: into the file, under its lock and onto
 * what others may have written meanwhile, and from there into force.
 */

import type { AnchorKeeper, NewAnchors } from '../dms/revocation/index.ts'
import type { PrivateKey } from '../lib/crypto/index.ts'
import { didMethod, keySigner, type Signer, signerFor } from '../lib/did/index.ts'
import {
  type CapabilityContext,
  type CapabilityFile,
  type CapabilityStore,
  chainOf,
  contextToFile,
  createCapabilityContext,
  emptyCapabilityFile,
  formatToken,
  type KeyLookup,
  lookUpIssuers,
  revocationKey,
  type Token,
  withOwnKey
} from '../lib/ucan/index.ts'
import type { Clock, Did, Logger, RandomSource, Refusal, Result } from '../types/index.ts'
import { deadline, Emitter, Mutex, ok, refusal, refuse, renderRefusal } from '../utils/index.ts'
import { DaemonError } from './errors.ts'

export interface CapabilityAnchorsDeps {
  store: CapabilityStore
  clock: Clock
  random: RandomSource
  log: Logger
  /** Keys of issuers that are not in their DIDs. */
  lookup?: KeyLookup
  /** The PRISM DID the node's key signs for; its own DID unless given. */
  did?: Did | undefined
}

/** How long a start or a change waits for keys to be looked up. What comes later counts later. Milliseconds. */
const LOOKUP_LIMIT_MS = 10_000

export class CapabilityAnchors implements AnchorKeeper {
  readonly #deps: CapabilityAnchorsDeps
  readonly #name: string
  /** Opens the file when it is sealed. */
  readonly #signer: Signer
  readonly #mutex = new Mutex()
  readonly #changed = new Emitter<void>()
  readonly #lookup: KeyLookup
  #file: CapabilityFile
  readonly context: CapabilityContext

  private constructor(
    deps: CapabilityAnchorsDeps,
    name: string,
    file: CapabilityFile,
    { signer, lookup }: { signer: Signer; lookup: KeyLookup },
    context: CapabilityContext
  ) {
    this.#deps = deps
    this.#lookup = lookup
    this.#name = name
    this.#signer = signer
    this.#file = file
    this.context = context
  }

  /**
   * Opens the context of a key; a missing file is made (identity-and-actors §3.6).
   * @throws DaemonError `DAEMON_CONTEXT_KEY` when the file belongs to another key; CapabilityError
   */
  static async open(deps: CapabilityAnchorsDeps, name: string, key: PrivateKey): Promise<CapabilityAnchors> {
    const signer = deps.did === undefined ? keySigner(key) : signerFor(deps.did, keySigner(key))
    const lookup = withOwnKey(deps.lookup ?? {}, signer)
    const stored = await loadOwn(deps.store, name, signer)
    const file = stored ?? emptyCapabilityFile(signer.did)
    if (stored === undefined) await deps.store.save(name, file)
    await lookUpInTime(deps.clock, tokensOf(file), lookup)
    const { context, problems } = createCapabilityContext(
      { clock: deps.clock, random: deps.random, owner: signer.did, signer, ...lookup },
      file
    )
    for (const problem of problems)
      deps.log.warn('capability anchor set aside', {
        context: name,
        reason: problem.message,
        code: problem.code
      })
    return new CapabilityAnchors(deps, name, file, { signer, lookup }, context)
  }

  /** Reads the file again and applies the difference. A file that cannot be read, or of another owner, changes nothing. */
  async reload(): Promise<void> {
    // One after another: each works on the difference to the one before.
    await this.#mutex.run(() => this.#reload())
  }

  /** What the file held when it was last read or written, tokens that have ended included. */
  get stored(): Pick<CapabilityFile, 'provide' | 'require'> {
    return this.#file
  }

  /** Told after a reload, and after anything but revocations was added. */
  onChange(listener: () => void): () => void {
    return this.#changed.on(listener)
  }

  async add(anchors: NewAnchors): Promise<Result<void>> {
    await this.#lookUp(tokensOf(anchors))
    return await this.#mutex.run(() => this.#add(anchors))
  }

  async #add(anchors: NewAnchors): Promise<Result<void>> {
    const { store } = this.#deps
    const isRevocationOnly =
      [...(anchors.roots ?? []), ...(anchors.require ?? []), ...(anchors.provide ?? [])].length === 0
    let verdict: Result<void> = ok(undefined)
    const change = (file: CapabilityFile): CapabilityFile => {
      if (file.did !== this.context.owner) throw foreignFile(this.#name, file.did, this.context.owner)
      const changed = isRevocationOnly
        ? this.#withRevocations(file, anchors.revoke ?? [])
        : this.#withAnchors(file, anchors)
      if (!changed.ok) verdict = changed
      return changed.ok ? changed.value : file // the same content is not written
    }
    const file = await store.update(this.#name, change, { signer: this.#signer })
    if (!verdict.ok) return verdict
    this.#apply(file)
    if (!isRevocationOnly) this.#changed.emit()
    return ok(undefined)
  }

  /** Everything in the file is verified again, so that what was added fits what others wrote meanwhile. */
  #withAnchors(
    file: CapabilityFile,
    { roots, require, provide, revoke }: NewAnchors
  ): Result<CapabilityFile> {
    const { clock, random } = this.#deps
    const { context, setAside } = createCapabilityContext(
      { clock, random, owner: file.did, ...this.#lookup },
      file
    )
    const { anchors } = context
    for (const root of roots ?? []) {
      if (!anchors.roots.includes(root) && !anchors.addRoot(root))
        return refuse(refusal('UCAN_TOO_MANY_ANCHORS', 'the context holds as many roots as it can'))
    }
    for (const result of [
      anchors.addRevoke(revoke ?? []),
      anchors.addRequire(require ?? []),
      anchors.addProvide(provide ?? [])
    ])
      if (!result.ok) return result
    return ok(contextToFile(context, setAside))
  }

  /** Revocations come by the network and in numbers: only they are verified, what they end is dropped. */
  #withRevocations(file: CapabilityFile, revocations: readonly Token[]): Result<CapabilityFile> {
    for (const token of revocations) {
      const verdict = this.context.anchors.verify(token)
      if (!verdict.ok) return verdict
      if (token.action !== 'revoke')
        return refuse(refusal('UCAN_NOT_REVOCATION', 'a token is not a revocation'))
    }
    const inForce = new Map(this.context.anchors.revoke.map(token => [revocationKey(token), token]))
    const fresh = new Map<string, Token>()
    for (const token of unknown([...inForce.values()], revocations)) {
      const other = fresh.get(revocationKey(token))
      if (other === undefined || other.expiresAtNs < token.expiresAtNs) fresh.set(revocationKey(token), token)
    }
    const nowNs = this.#deps.clock.nowNs()
    const isKept = (token: Token): boolean => {
      const other = fresh.get(revocationKey(token))
      return token.expiresAtNs >= nowNs && (other === undefined || other.expiresAtNs < token.expiresAtNs)
    }
    const held = file.revoke.filter(isKept)
    // What is in force but not in the file any more comes back into it: only its end ends a revocation.
    const missing = unknown(held, [...inForce.values()]).filter(isKept)
    // Revocations of the file were not verified here: only those in force, and the new ones, end anything.
    const isAlive = (token: Token): boolean =>
      !chainOf(token).some(link => inForce.has(revocationKey(link)) || fresh.has(revocationKey(link)))
    return ok({
      ...file,
      require: file.require.filter(isAlive),
      provide: file.provide.filter(isAlive),
      revoke: [...held, ...missing, ...fresh.values()]
    })
  }

  async #reload(): Promise<void> {
    const { store, log } = this.#deps
    const file = await loadOwn(store, this.#name, this.#signer)
    if (file === undefined) {
      log.warn('capability file is gone; the anchors in memory stay', { context: this.#name })
      return
    }
    await this.#lookUp(tokensOf(file))
    this.#apply(file)
    const { anchors } = this.context
    log.info('capability anchors reloaded', {
      context: this.#name,
      roots: anchors.roots.length,
      require: anchors.require.length,
      provide: anchors.provide.length
    })
    this.#changed.emit()
  }

  /** Puts the difference between this file and the one before in force. */
  #apply(file: CapabilityFile): void {
    const { anchors } = this.context
    const before = this.#file
    for (const did of file.roots) anchors.addRoot(did)
    for (const did of before.roots) if (!file.roots.includes(did)) anchors.removeRoot(did)
    // Revocations first: a token they name must not come in behind them.
    this.#revoke(before, unknown(anchors.revoke, file.revoke))
    for (const token of added(before.require, file.require)) this.#tell(anchors.addRequire([token]))
    for (const token of added(before.provide, file.provide)) this.#tell(anchors.addProvide([token]))
    for (const token of added(file.require, before.require)) anchors.removeRequire(token)
    for (const token of added(file.provide, before.provide)) anchors.removeProvide(token)
    this.#file = file
  }

  /**
   * Takes in what the file holds and could not be verified before, because the key of an issuer was not to be had.
   * Without such tokens it does nothing.
   */
  async retryLookups(): Promise<void> {
    if (this.#waiting().length > 0) await this.#mutex.run(() => this.#retryLookups())
  }

  async #retryLookups(): Promise<void> {
    const before = this.#waiting()
    await this.#lookUp(before)
    const { anchors } = this.context
    const { revoke, require, provide } = this.#file
    const isWaiting = (token: Token): boolean => before.includes(token)
    for (const token of revoke.filter(isWaiting)) anchors.addRevoke([token])
    for (const token of require.filter(isWaiting)) anchors.addRequire([token])
    for (const token of provide.filter(isWaiting)) anchors.addProvide([token])
    const left = this.#waiting().length
    if (left === before.length) return
    this.#deps.log.info('capability anchors accepted late', { context: this.#name, left })
    this.#changed.emit()
  }

  /** Tokens of the file that are not in force, with an issuer whose key is not in its DID. */
  #waiting(): Token[] {
    const mayWait = tokensOf(this.#file).filter(token =>
      chainOf(token).some(link => didMethod(link.issuer) !== 'key')
    )
    if (mayWait.length === 0) return []
    const inForce = new Set(tokensOf(this.context.anchors).map(formatToken))
    return mayWait.filter(token => !inForce.has(formatToken(token)))
  }

  #lookUp(tokens: readonly Token[]): Promise<void> {
    return lookUpInTime(this.#deps.clock, tokens, this.#lookup)
  }

  /** One that does not hold, an expired one for instance, must not keep the others from counting. */
  #revoke(before: CapabilityFile, revocations: readonly Token[]): void {
    const { anchors } = this.context
    const [good, bad]: [Token[], Token[]] = [[], []]
    for (const token of revocations) (anchors.verify(token).ok ? good : bad).push(token)
    this.#tell(anchors.addRevoke(good))
    for (const token of added(before.revoke, bad)) this.#tell(anchors.addRevoke([token]))
  }

  #tell(result: Result<void, Refusal>): void {
    if (!result.ok)
      this.#deps.log.warn('capability anchor not accepted', {
        context: this.#name,
        reason: renderRefusal(result.error)
      })
  }
}

function tokensOf(lists: Pick<NewAnchors, 'revoke' | 'require' | 'provide'>): Token[] {
  return [...(lists.revoke ?? []), ...(lists.require ?? []), ...(lists.provide ?? [])]
}

async function lookUpInTime(clock: Clock, tokens: readonly Token[], lookup: KeyLookup): Promise<void> {
  using limit = deadline(clock, LOOKUP_LIMIT_MS, 'looking up keys')
  await lookUpIssuers(tokens, lookup, limit).catch(() => undefined) // what is missing shows when tokens are verified
}

/** The file of a context, plain or sealed, which must be the signer's own; whose it is can be read without opening it. */
async function loadOwn(
  store: CapabilityStore,
  name: string,
  signer: Signer
): Promise<CapabilityFile | undefined> {
  const owner = await store.ownerOf(name)
  if (owner !== undefined && owner !== signer.did) throw foreignFile(name, owner, signer.did)
  return await store.load(name, { signer })
}

function foreignFile(name: string, fileDid: Did, ownDid: Did): DaemonError {
  return new DaemonError(
    'DAEMON_CONTEXT_KEY',
    `capability context '${name}' belongs to '${fileDid}', its key to '${ownDid}'`,
    {
      hint: `make a new context with 'nunet cap new ${name} --force', or restore the key it belongs to`
    }
  )
}

/** Revocations of a file that are not in force, or not for as long. There may be thousands: they are not printed for it. */
function unknown(inForce: readonly Token[], revocations: readonly Token[]): Token[] {
  const known = new Map(inForce.map(token => [revocationKey(token), token.expiresAtNs]))
  return revocations.filter(token => (known.get(revocationKey(token)) ?? -1n) < token.expiresAtNs)
}

/** Tokens of `after` that `before` does not have. */
function added(before: readonly Token[], after: readonly Token[]): Token[] {
  const known = new Set(before.map(formatToken))
  return after.filter(token => !known.has(formatToken(token)))
}
