/**
 * The node's capability context and its file. The file belongs to the user and the CLI; the daemon reads it at
 * start and again when it is told, and applies what changed without touching the dynamic grants of deployments.
 */

import type { PrivateKey } from '../lib/crypto/index.ts'
import { keySigner, type Signer } from '../lib/did/index.ts'
import {
  type CapabilityContext,
  type CapabilityFile,
  type CapabilityStore,
  createCapabilityContext,
  emptyCapabilityFile,
  formatToken,
  type Token
} from '../lib/ucan/index.ts'
import type { Clock, Did, Logger, RandomSource, Refusal, Result } from '../types/index.ts'
import { Mutex, renderRefusal } from '../utils/index.ts'
import { DaemonError } from './errors.ts'

export interface CapabilityAnchorsDeps {
  store: CapabilityStore
  clock: Clock
  random: RandomSource
  log: Logger
}

export class CapabilityAnchors {
  readonly #deps: CapabilityAnchorsDeps
  readonly #name: string
  /** Opens the file when it is sealed. */
  readonly #signer: Signer
  readonly #mutex = new Mutex()
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

  async #reload(): Promise<void> {
    const { store, log } = this.#deps
    const file = await loadOwn(store, this.#name, this.#signer)
    if (file === undefined) {
      log.warn('capability file is gone; the anchors in memory stay', { context: this.#name })
      return
    }
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
    log.info('capability anchors reloaded', {
      context: this.#name,
      roots: anchors.roots.length,
      require: anchors.require.length,
      provide: anchors.provide.length
    })
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
