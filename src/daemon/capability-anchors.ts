/**
 * The node's capability context and its file. The file belongs to the user and the CLI; the daemon reads it at
 * start and again when it is told, and applies what changed without touching the dynamic grants of deployments. What
 * an administrator or the network adds to a running node goes the same way: into the file, under its lock and onto
 * what others may have written meanwhile, and from there into force.
 */

import type { AnchorKeeper, NewAnchors } from '../dms/revocation/index.ts'
import type { PrivateKey } from '../lib/crypto/index.ts'
import { keySigner, type Signer } from '../lib/did/index.ts'
import {
  type CapabilityContext,
  type CapabilityFile,
  type CapabilityStore,
  chainExpiry,
  chainOf,
  contextToFile,
  createCapabilityContext,
  emptyCapabilityFile,
  formatToken,
  revocationKey,
  type Token
} from '../lib/ucan/index.ts'
import type { Clock, Did, Logger, RandomSource, Refusal, Result } from '../types/index.ts'
import { Emitter, Mutex, ok, refusal, refuse, renderRefusal } from '../utils/index.ts'
import { DaemonError } from './errors.ts'

export interface CapabilityAnchorsDeps {
  store: CapabilityStore
  clock: Clock
  random: RandomSource
  log: Logger
}

export class CapabilityAnchors implements AnchorKeeper {
  readonly #deps: CapabilityAnchorsDeps
  readonly #name: string
  /** Opens the file when it is sealed. */
  readonly #signer: Signer
  readonly #mutex = new Mutex()
  readonly #changed = new Emitter<void>()
  #file: CapabilityFile
  readonly context: CapabilityContext

  private constructor(
    deps: CapabilityAnchorsDeps,
    name: string,
    file: CapabilityFile,
    signer: Signer,
    context: CapabilityContext
  ) {
    this.#deps = deps
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
    const signer = keySigner(key)
    const stored = await loadOwn(deps.store, name, signer)
    const file = stored ?? emptyCapabilityFile(signer.did)
    if (stored === undefined) await deps.store.save(name, file)
    const { context, problems } = createCapabilityContext(
      { clock: deps.clock, random: deps.random, owner: signer.did, signer },
      file
    )
    for (const problem of problems)
      deps.log.warn('capability anchor set aside', {
        context: name,
        reason: problem.message,
        code: problem.code
      })
    return new CapabilityAnchors(deps, name, file, signer, context)
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
    const { context, setAside } = createCapabilityContext({ clock, random, owner: file.did }, file)
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
    const nowNs = this.#deps.clock.nowNs()
    const byKey = new Map<string, Token>()
    for (const token of [...file.revoke, ...revocations]) {
      const known = byKey.get(revocationKey(token))
      const isLonger = known === undefined || known.expiresAtNs < token.expiresAtNs
      if (isLonger && token.expiresAtNs >= nowNs) byKey.set(revocationKey(token), token)
    }
    const isAlive = (token: Token): boolean =>
      nowNs <= chainExpiry(token) && !chainOf(token).some(link => byKey.has(revocationKey(link)))
    return ok({
      ...file,
      require: file.require.filter(isAlive),
      provide: file.provide.filter(isAlive),
      revoke: [...byKey.values()]
    })
  }

  async #reload(): Promise<void> {
    const { store, log } = this.#deps
    const file = await loadOwn(store, this.#name, this.#signer)
    if (file === undefined) {
      log.warn('capability file is gone; the anchors in memory stay', { context: this.#name })
      return
    }
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
    this.#tell(anchors.addRevoke(added(before.revoke, file.revoke)))
    for (const token of added(before.require, file.require)) this.#tell(anchors.addRequire([token]))
    for (const token of added(before.provide, file.provide)) this.#tell(anchors.addProvide([token]))
    for (const token of added(file.require, before.require)) anchors.removeRequire(token)
    for (const token of added(file.provide, before.provide)) anchors.removeProvide(token)
    this.#file = file
  }

  #tell(result: Result<void, Refusal>): void {
    if (!result.ok)
      this.#deps.log.warn('capability anchor not accepted', {
        context: this.#name,
        reason: renderRefusal(result.error)
      })
  }
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

/** Tokens of `after` that `before` does not have. */
function added(before: readonly Token[], after: readonly Token[]): Token[] {
  const known = new Set(before.map(formatToken))
  return after.filter(token => !known.has(formatToken(token)))
}
