/**
 * Gives back what providers hold for a deployment (deployment §2.8). A provider that does not confirm is remembered
 * in the database and asked again in the background, also after a restart and after the deployment's end: its
 * commits expire by themselves, but an allocation would stay, and what runs in it would run on for nobody.
 */

import type { Actor } from '../../actor/index.ts'
import type { Clock, Logger, PeerId } from '../../types/index.ts'
import { Limiter } from '../../utils/index.ts'
import { BEHAVIORS, okReplySchema } from '../jobs/index.ts'
import { readHandle } from './bid.ts'
import {
  MAX_PARALLEL_NODES,
  MAX_RELEASE_PAUSE_MS,
  MAX_RELEASE_TRIES,
  RELEASE_PAUSE_MS,
  RELEASE_WINDOW_MS,
  REVERT_LIMIT_MS
} from './constants.ts'
import type { Journal } from './journal.ts'
import type { Claim, Manifest } from './manifest.ts'

export interface ReleaserDeps {
  actor: Pick<Actor, 'invoke'>
  journal: Journal
  clock: Clock
  log: Logger
}

export class Releaser {
  readonly #deps: ReleaserDeps
  /** Fires when the daemon stops: what is open then is in the database. */
  readonly #signal: AbortSignal
  /** Deliveries without a confirmation, by peer and node. */
  readonly #tries = new Map<string, number>()
  #loop: Promise<void> | undefined

  constructor(deps: ReleaserDeps, options: { signal: AbortSignal }) {
    this.#deps = deps
    this.#signal = options.signal
  }

  /** Peers that may still hold something; they must not be chosen again before it is gone. */
  get openPeers(): PeerId[] {
    return this.#deps.journal.unreleased.map(claim => claim.peer)
  }

  /** Asks all at once; what is not confirmed is stored and asked for later. Rejects only when the daemon stops. */
  async release(claims: readonly Claim[]): Promise<void> {
    const { journal } = this.#deps
    const limiter = new Limiter(MAX_PARALLEL_NODES, claims.length)
    const open = await Promise.all(
      claims
        .toReversed()
        .map(claim => limiter.run(async () => ((await this.#ask(claim)) === 'confirmed' ? [] : [claim])))
    )
    const kept = open.flat()
    if (kept.length > 0) journal.setUnreleased([...journal.unreleased, ...kept])
    this.resume()
  }

  /** Goes on with what is stored, in the background. */
  resume(): void {
    if (this.#deps.journal.unreleased.length > 0) this.#loop ??= this.#repeat()
  }

  /** Resolves when nothing is open any more, or the daemon stops. */
  async done(): Promise<void> {
    await this.#loop
  }

  async #repeat(): Promise<void> {
    const { clock, log, journal } = this.#deps
    let pauseMs = RELEASE_PAUSE_MS
    while (journal.unreleased.length > 0) {
      try {
        await clock.sleep(pauseMs, { signal: this.#signal })
        const limiter = new Limiter(MAX_PARALLEL_NODES, journal.unreleased.length)
        await Promise.all(journal.unreleased.map(claim => limiter.run(() => this.#retry(claim))))
      } catch (error) {
        if (this.#signal.aborted) break
        log.warn('release not stored', { deployment: journal.id, error })
      }
      pauseMs = Math.min(pauseMs * 2, MAX_RELEASE_PAUSE_MS)
    }
    this.#loop = undefined
  }

  async #retry(claim: Claim): Promise<void> {
    const { clock, log, journal } = this.#deps
    const key = `${claim.peer}/${claim.node}`
    const outcome = await this.#ask(claim)
    const tries = (this.#tries.get(key) ?? 0) + (outcome === 'unheard' ? 0 : 1)
    this.#tries.set(key, tries)
    const isOver = tries >= MAX_RELEASE_TRIES || clock.nowMs() - claim.since_ms > RELEASE_WINDOW_MS
    if (outcome !== 'confirmed' && !isOver) return
    if (outcome !== 'confirmed')
      log.warn('provider never confirmed to have given back', { deployment: journal.id, peer: claim.peer })
    this.#tries.delete(key)
    journal.setUnreleased(journal.unreleased.filter(other => other !== claim))
  }

  /** `delivered`: it got the message and said nothing, or that it could not. */
  async #ask(claim: Claim): Promise<'confirmed' | 'delivered' | 'unheard'> {
    const handle = readHandle(claim.handle)
    if (handle === undefined) return 'confirmed'
    const payload = { EnsembleID: this.#deps.journal.id, AllocsByName: claim.allocations }
    const reply = await this.#deps.actor.invoke(handle, BEHAVIORS.revert, payload, {
      timeoutMs: REVERT_LIMIT_MS,
      signal: this.#signal
    })
    if (!reply.ok) return reply.error.code === 'ACTOR_UNREACHABLE' ? 'unheard' : 'delivered'
    const answer = okReplySchema.safeParse(reply.value.payload)
    return answer.success && answer.data.OK ? 'confirmed' : 'delivered'
  }
}

/** All that the nodes of a manifest may hold; without `nodes`, of all its nodes. */
export function claimsOf(manifest: Manifest, nowMs: number, nodes?: ReadonlySet<string>): Claim[] {
  return Object.values(manifest.nodes).flatMap(node => {
    const peer = readHandle(node.handle)?.address.host
    if (!peer || (nodes && !nodes.has(node.id))) return []
    const allocations = Object.values(manifest.allocations)
      .filter(entry => entry.node_id === node.id)
      .map(entry => entry.id)
    return [{ node: node.id, peer, handle: node.handle, allocations, since_ms: nowMs }]
  })
}
