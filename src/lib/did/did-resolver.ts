/**
 * Keys of DIDs that must be looked up (§2.3, §2.7). Verification never waits: `keyOf` answers from memory, and whoever
 * will verify has `resolve` fetch the keys before. Everything is bounded: keys and failures remembered, requests at
 * once, requests waiting, and the time of each.
 */

import type { AbortOptions, Clock, Did } from '../../types/index.ts'
import { deadline, errorMessage, Limiter, NuError, raceSignal } from '../../utils/index.ts'
import type { PublicKey } from '../crypto/index.ts'
import { didMethod } from './did.ts'
import { publicKeyOfDocument } from './did-document.ts'
import { publicKeyOfDid } from './did-key.ts'
import { DidResolutionError } from './errors.ts'

/** A key is kept for an hour after its last use (§2.3) … */
export const DID_CACHE_LIFE_MS = 3_600_000
/** … but no longer than this after it was fetched: a key that was replaced must go even where it is used all the time. */
export const DID_CACHE_MAX_AGE_MS = 4 * DID_CACHE_LIFE_MS
/** A failure is remembered so long: a DID that cannot be resolved costs one request a minute. */
export const DID_FAILURE_LIFE_MS = 60_000
/** Limit on one request (§2.7). */
export const DID_FETCH_LIMIT_MS = 30_000

/** DIDs remembered, about 1 KiB each; the one unused for longest goes first. */
const MAX_ENTRIES = 1024
/** Requests at once, and waiting for their turn. */
const MAX_FETCHES = 4
const MAX_WAITING = 64

/** Fetches the DID document of a DID. @throws DidResolutionError `DID_UNREACHABLE` */
export type FetchDocument = (did: Did, options: { readonly signal: AbortSignal }) => Promise<Uint8Array>

/** What a resolver works with. */
export interface DidResolverDeps {
  readonly clock: Clock
  /** Where documents of `did:prism` come from; without it only `did:key` is known. */
  readonly fetchDocument?: FetchDocument | undefined
  /** Ends what is being fetched. */
  readonly signal?: AbortSignal | undefined
}

/** Finds the keys of DIDs. */
export interface DidResolver {
  /** The key of a DID, when it needs no look-up or was looked up before. Never waits. @throws DidError, DidResolutionError */
  keyOf(did: Did): PublicKey
  /**
   * Looks a key up, so that `keyOf` has it. The signal ends the wait; others may still be waiting for the same DID.
   * @throws DidError, DidResolutionError
   */
  resolve(did: Did, options?: AbortOptions): Promise<PublicKey>
}

/** A resolver of `did:key`, and of `did:prism` where documents can be fetched. */
export function createDidResolver(deps: DidResolverDeps): DidResolver {
  return new CachingResolver(deps)
}

interface Found {
  readonly key: PublicKey
  readonly fetchedMs: number
  usedMs: number
}

interface Failed {
  readonly error: Error
  readonly sinceMs: number
}

class CachingResolver implements DidResolver {
  readonly #deps: DidResolverDeps
  /** In order of last use, the newest last. */
  readonly #found = new Map<Did, Found>()
  readonly #failed = new Map<Did, Failed>()
  readonly #running = new Map<Did, Promise<PublicKey>>()
  readonly #limiter = new Limiter(MAX_FETCHES, MAX_WAITING)

  constructor(deps: DidResolverDeps) {
    this.#deps = deps
  }

  keyOf(did: Did): PublicKey {
    if (didMethod(did) === 'key') return publicKeyOfDid(did)
    const key = this.#known(did)
    if (key !== undefined) return key
    const failure = this.#failure(did)
    if (failure !== undefined) throw failure
    this.#requireFetcher(did)
    throw new DidResolutionError('DID_NOT_RESOLVED', `the key of '${did}' was not looked up`, {
      hint: 'try again in a moment'
    })
  }

  async resolve(did: Did, { signal }: AbortOptions = {}): Promise<PublicKey> {
    if (didMethod(did) === 'key') return publicKeyOfDid(did)
    const known = this.#known(did)
    if (known !== undefined) return known
    const failure = this.#failure(did)
    if (failure !== undefined) throw failure
    const fetchDocument = this.#requireFetcher(did)
    signal?.throwIfAborted()
    const running = this.#running.get(did) ?? this.#start(did, fetchDocument)
    return await raceSignal(running, signal)
  }

  #known(did: Did): PublicKey | undefined {
    const found = this.#found.get(did)
    if (found === undefined) return undefined
    const nowMs = this.#deps.clock.monotonicMs()
    this.#found.delete(did)
    if (nowMs - found.usedMs > DID_CACHE_LIFE_MS || nowMs - found.fetchedMs > DID_CACHE_MAX_AGE_MS) {
      return undefined
    }
    found.usedMs = nowMs
    this.#found.set(did, found)
    return found.key
  }

  #failure(did: Did): Error | undefined {
    const failed = this.#failed.get(did)
    if (failed === undefined) return undefined
    if (this.#deps.clock.monotonicMs() - failed.sinceMs <= DID_FAILURE_LIFE_MS) return failed.error
    this.#failed.delete(did)
    return undefined
  }

  #requireFetcher(did: Did): FetchDocument {
    const { fetchDocument } = this.#deps
    if (didMethod(did) === 'prism' && fetchDocument !== undefined) return fetchDocument
    const reason = didMethod(did) === 'prism' ? 'no PRISM resolver is configured' : 'its method is not known'
    throw new DidResolutionError('DID_NO_RESOLVER', `the key of '${did}' cannot be looked up: ${reason}`, {
      hint: "for did:prism give the address of a resolver: nunet config set did.prism_resolver 'https://…'"
    })
  }

  /** One request for all who ask; it goes on when one of them gives up. */
  #start(did: Did, fetchDocument: FetchDocument): Promise<PublicKey> {
    const running = this.#fetch(did, fetchDocument).finally(() => this.#running.delete(did))
    this.#running.set(did, running)
    running.catch(() => undefined) // all who asked may have gone
    return running
  }

  async #fetch(did: Did, fetchDocument: FetchDocument): Promise<PublicKey> {
    const { clock, signal } = this.#deps
    try {
      const document = await this.#limiter.run(async () => {
        using limit = deadline(clock, DID_FETCH_LIMIT_MS, `looking up '${did}'`, signal)
        limit.signal.throwIfAborted()
        return await raceSignal(fetchDocument(did, limit), limit.signal)
      })
      const key = publicKeyOfDocument(did, document)
      const nowMs = clock.monotonicMs()
      remember(this.#found, did, { key, fetchedMs: nowMs, usedMs: nowMs })
      return key
    } catch (cause) {
      signal?.throwIfAborted()
      const error = cause instanceof DidResolutionError ? cause : unreachable(did, cause)
      // That too many are waiting says nothing about this DID.
      if (!(cause instanceof NuError && cause.code === 'CAPACITY_EXCEEDED'))
        remember(this.#failed, did, { error, sinceMs: clock.monotonicMs() })
      throw error
    }
  }
}

function remember<T>(map: Map<Did, T>, did: Did, value: T): void {
  map.set(did, value)
  if (map.size > MAX_ENTRIES) map.delete(map.keys().next().value as Did) // a map over a bound has a first key
}

function unreachable(did: Did, cause: unknown): DidResolutionError {
  return new DidResolutionError('DID_UNREACHABLE', `'${did}' cannot be looked up: ${errorMessage(cause)}`, {
    cause,
    hint: 'check that the resolver of did.prism_resolver can be reached'
  })
}
