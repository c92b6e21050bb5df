/**
 * Watches the end of what a node may do and lets others do, and announces it long before: each step once, also across
 * restarts, and at once forgotten when something that lives longer has come in its place. What ended without successor
 * stays an issue. Announcements are made before they are noted down: after a crash between the two one is repeated, none
 * is lost.
 */

import type { Token } from '../../lib/ucan/index.ts'
import type { AbortOptions, Clock, Did, FileStore, Logger, Startable, Timer } from '../../types/index.ts'
import { errorMessage, isoTime, Mutex } from '../../utils/index.ts'
import type { GrantState } from '../grants/index.ts'
import { ANNOUNCED_MS, FRESH_MS, LOOK_MS, REMEMBER_MS, SETBACK_MS } from './constants.ts'
import { CoverIndex, endingsIn, endOf } from './coverage.ts'
import { assessHealth, issueOf } from './health.ts'
import { formatMemory, keyOf, readMemory, type Watched } from './memory.ts'
import { showLeft } from './renewal.ts'
import { isUrgent, nextStepIn, stepsPassed } from './steps.ts'
import type { AnchorRole, CapabilityHealth, StaticAnchors } from './types.ts'

/** What a watch looks at and works with. */
export interface ExpiryWatchDeps {
  /** The anchors now, without those of dynamic grants. */
  readonly anchors: () => StaticAnchors
  readonly grants: () => readonly GrantState[]
  readonly clock: Clock
  readonly files: Pick<FileStore, 'read' | 'writeAtomic'>
  readonly log: Logger
}

/** Settings of a watch. */
export interface ExpiryWatchOptions {
  /** Owner of the capability context. */
  readonly owner: Did
  /** Name of the context, for the commands that are recommended. */
  readonly context: string
  /** File in which it remembers. */
  readonly path: string
  /** How often it looks without being asked to. Default: `LOOK_MS`. */
  readonly lookMs?: number
}

/** See the file's comment. `health` may be asked at any time. */
export class ExpiryWatch implements Startable {
  readonly #deps: ExpiryWatchDeps
  readonly #options: ExpiryWatchOptions
  readonly #saving = new Mutex()
  #memory = new Map<string, Watched>()
  #health: { readonly value: CapabilityHealth; readonly atMs: number } | undefined
  #timer: Timer | undefined
  #isStarted = false

  constructor(deps: ExpiryWatchDeps, options: ExpiryWatchOptions) {
    this.#deps = deps
    this.#options = options
  }

  async start({ signal }: AbortOptions = {}): Promise<void> {
    if (this.#isStarted) return
    this.#memory = await readMemory(this.#deps, this.#options.path)
    signal?.throwIfAborted()
    this.#isStarted = true
    this.refresh()
  }

  /** Waits until what was announced is noted down. */
  async stop(): Promise<void> {
    this.#isStarted = false
    this.#timer?.cancel()
    await this.#saving.run(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Looks at the anchors now: for whoever changed them. */
  refresh(): void {
    if (!this.#isStarted) return
    this.#timer?.cancel()
    const waitMs = this.#look()
    this.#timer = this.#deps.clock.setTimer(waitMs, () => this.refresh())
  }

  /** How it stands, at most a second old. */
  health(): CapabilityHealth {
    const { clock } = this.#deps
    const nowMs = clock.monotonicMs()
    if (this.#health === undefined || nowMs - this.#health.atMs >= FRESH_MS) {
      this.refresh()
      const { owner, context } = this.#options
      const watched = [...this.#memory.values()]
      const value = assessHealth(watched, this.#deps.grants(), { owner, context }, clock.nowMs())
      this.#health = { value, atMs: nowMs }
    }
    return this.#health.value
  }

  /** Brings what is watched up to date and announces what is due; returns when to look again. */
  #look(): number {
    const nowMs = this.#deps.clock.nowMs()
    const anchors = this.#deps.anchors()
    const before = this.#memory
    this.#memory = this.#watched(anchors, nowMs)
    this.#health = undefined
    let hasChanged = before.size !== this.#memory.size
    let waitMs = this.#options.lookMs ?? LOOK_MS
    for (const [key, watched] of this.#memory) {
      const endsAtMs = endOf(watched.token)
      const lifeMs = endsAtMs - watched.firstSeenMs
      const passed = stepsPassed(lifeMs, endsAtMs - nowMs)
      if (passed > watched.announced) this.#announce(watched, lifeMs, nowMs)
      const stands = Math.min(watched.announced, stepsPassed(lifeMs, endsAtMs - nowMs - SETBACK_MS))
      const announced = Math.max(passed, stands)
      hasChanged ||= announced !== watched.announced || !before.has(key)
      watched.announced = announced
      waitMs = Math.min(waitMs, nextStepIn(lifeMs, endsAtMs - nowMs) ?? waitMs)
    }
    if (hasChanged) void this.#save()
    return waitMs
  }

  /** Tokens that would be missed, and those that are: ended, and nothing has come in their place. */
  #watched(anchors: StaticAnchors, nowMs: number): Map<string, Watched> {
    const isOver = ({ token }: Pick<Watched, 'token'>): boolean =>
      endOf(token) < nowMs && endOf(token) > nowMs - REMEMBER_MS
    const ended = new Map<string, Pick<Watched, 'role' | 'token'>>()
    for (const role of ['provide', 'require'] as const) {
      for (const token of anchors[role]) if (isOver({ token })) ended.set(keyOf(role, token), { role, token })
    }
    const missing = [...this.#memory].filter(([key, each]) => isOver(each) && !ended.has(key))
    for (const [key, each] of missing) ended.set(key, each)
    const of = (role: AnchorRole): Token[] =>
      missing.filter(([, each]) => each.role === role).map(([, { token }]) => token)
    const known = {
      roots: anchors.roots,
      provide: [...anchors.provide, ...of('provide')],
      require: [...anchors.require, ...of('require')]
    }
    const index = new CoverIndex(known, this.#options.owner)
    const next = new Map<string, Watched>()
    const add = ({ role, token }: Pick<Watched, 'role' | 'token'>): void => {
      const key = keyOf(role, token)
      next.set(key, this.#memory.get(key) ?? { role, token, firstSeenMs: nowMs, announced: 0 })
    }
    for (const ending of endingsIn(index, anchors, nowMs)) add(ending)
    for (const [key, { role, token }] of next) if (!this.#memory.has(key)) this.#tellNew(role, token, nowMs)
    for (const each of ended.values()) if (!index.covers(each.role, each.token)) add(each)
    for (const [key, gone] of this.#memory) {
      if (!next.has(key) && gone.announced > 0) this.#tellGone(gone, index)
    }
    return next
  }

  #announce(watched: Watched, lifeMs: number, nowMs: number): void {
    const { log } = this.#deps
    const issue = issueOf(watched, this.#options, nowMs)
    if (issue === undefined) return
    const { kind, endsAtMs, subject, capabilities, topics, effect, renewal } = issue
    const leftMs = endsAtMs - nowMs
    const fields = {
      kind,
      subject,
      capabilities,
      topics,
      ends: isoTime(endsAtMs),
      effect,
      renewal: renewal.map(({ by, command }) => `${by}: ${command}`)
    }
    if (leftMs < 0) log.error('capability has ended', fields)
    else if (isUrgent(lifeMs, leftMs))
      log.error('capability ends soon', { ...fields, left: showLeft(leftMs) })
    else log.warn('capability ends soon', { ...fields, left: showLeft(leftMs) })
  }

  /** How long it was made for is not written in a token, so one that ends within weeks is told of when it is first seen. */
  #tellNew(role: AnchorRole, token: Token, nowMs: number): void {
    const leftMs = endOf(token) - nowMs
    if (leftMs > (ANNOUNCED_MS[0] ?? 0)) return
    const { subject, capabilities } = token
    const fields = { kind: role, subject, capabilities, left: showLeft(leftMs) }
    this.#deps.log.info('capability does not last long', fields)
  }

  #tellGone({ role, token }: Watched, index: CoverIndex): void {
    const fields = { kind: role, subject: token.subject, capabilities: token.capabilities }
    if (index.covers(role, token)) this.#deps.log.info('capability renewed', fields)
    else this.#deps.log.info('capability not watched any more', fields)
  }

  async #save(): Promise<void> {
    const { files, log } = this.#deps
    const { path } = this.#options
    await this.#saving.run(async () => {
      try {
        await files.writeAtomic(path, formatMemory(this.#memory.values()), { mode: 0o600 })
      } catch (error) {
        log.warn('what was announced of expiring capabilities is not noted down', {
          path,
          reason: errorMessage(error)
        })
      }
    })
  }
}
