/**
 * Anchored tokens, found by what they grant. Nothing is ever dropped in favour of a similar token (the
 * de-duplication of existing clients ignores topics, §7.2); only the very same token is stored once.
 */

import type { Did } from '../../types/index.ts'
import { bytesToHex } from '../../utils/index.ts'
import { impliedBy } from './capability.ts'
import { formatToken } from './token-json.ts'
import type { Capability, Token } from './types.ts'

/** A stored token; `order` counts up in the order of adding. */
interface Entry {
  readonly token: Token
  readonly text: string
  readonly order: number
}

export class AnchorIndex {
  /** Whole text → entry, in the order of adding, as each set below. */
  readonly #byText = new Map<string, Entry>()
  /** Subject, audience and one capability → entries: a look-up costs the segments of the capability, not the anchors. */
  readonly #byGrant = new Map<string, Set<Entry>>()
  /** Subject and audience → entries, whatever they grant. */
  readonly #byParties = new Map<string, Set<Entry>>()
  readonly #bySubject = new Map<Did, Set<Entry>>()
  readonly #byNonce = new Map<string, Set<Entry>>()
  #next = 0

  get size(): number {
    return this.#byText.size
  }

  values(): Token[] {
    return Array.from(this.#byText.values(), entry => entry.token)
  }

  /** False when this very token is there already. */
  add(token: Token): boolean {
    const text = formatToken(token)
    if (this.#byText.has(text)) return false
    const entry = { token, text, order: this.#next++ }
    this.#byText.set(text, entry)
    for (const key of grantKeys(token)) put(this.#byGrant, key, entry)
    put(this.#byParties, partiesKey(token.subject, token.audience), entry)
    put(this.#bySubject, token.subject, entry)
    put(this.#byNonce, nonceKey(token), entry)
    return true
  }

  /** Removes all tokens with the issuer and nonce of `token` (§7.2). */
  removeByNonce(token: Token): boolean {
    const found = [...(this.#byNonce.get(nonceKey(token)) ?? [])]
    for (const entry of found) this.#remove(entry)
    return found.length > 0
  }

  /** Removes the tokens for which `test` holds; returns how many. */
  removeWhere(test: (token: Token) => boolean): number {
    const found = [...this.#byText.values()].filter(entry => test(entry.token))
    for (const entry of found) this.#remove(entry)
    return found.length
  }

  /**
   * Tokens given to `subject` for `audience` (or for anyone) that grant `capability`, oldest first. Found one by one
   * as they are asked for, so that whoever needs only the first few pays for these.
   */
  find(subject: Did, audience: Did | undefined, capability: Capability): Generator<Token, void> {
    const names = impliedBy(capability)
    const sets: ReadonlySet<Entry>[] = []
    for (const one of audiencesFor(audience)) {
      const parties = partiesKey(subject, one)
      for (const name of names) pushFound(sets, this.#byGrant.get(`${parties} ${name}`))
    }
    return inOrder(sets)
  }

  /** Tokens given to `subject` for `audience` (or for anyone), whatever they grant, oldest first. */
  heldBy(subject: Did, audience: Did | undefined): Generator<Token, void> {
    const sets: ReadonlySet<Entry>[] = []
    for (const one of audiencesFor(audience)) pushFound(sets, this.#byParties.get(partiesKey(subject, one)))
    return inOrder(sets)
  }

  /** Some tokens given to `subject`, whatever they grant: for explaining why none fits. */
  some(subject: Did, limit: number): Token[] {
    const found: Token[] = []
    for (const { token } of this.#bySubject.get(subject) ?? []) {
      if (found.length >= limit) break
      found.push(token)
    }
    return found
  }

  #remove(entry: Entry): void {
    const { token, text } = entry
    this.#byText.delete(text)
    for (const key of grantKeys(token)) take(this.#byGrant, key, entry)
    take(this.#byParties, partiesKey(token.subject, token.audience), entry)
    take(this.#bySubject, token.subject, entry)
    take(this.#byNonce, nonceKey(token), entry)
  }
}

/** Merges sets whose entries stand in the order of adding; an entry of several sets comes once. */
function* inOrder(sets: readonly ReadonlySet<Entry>[]): Generator<Token, void> {
  const sources = sets.map(set => set.values())
  const heads = sources.map(source => source.next().value)
  for (;;) {
    let first: Entry | undefined
    for (const head of heads)
      if (head !== undefined && (first === undefined || head.order < first.order)) first = head
    if (first === undefined) return
    for (const [index, source] of sources.entries())
      if (heads[index] === first) heads[index] = source.next().value
    yield first.token
  }
}

/** Audiences of a token that may be used on `audience`. */
function audiencesFor(audience: Did | undefined): (Did | undefined)[] {
  return audience === undefined ? [undefined] : [undefined, audience]
}

function pushFound<T>(found: T[], item: T | undefined): void {
  if (item !== undefined) found.push(item)
}

/** DIDs hold no spaces, so the parts cannot run into each other. */
function grantKeys(token: Token): string[] {
  const parties = partiesKey(token.subject, token.audience)
  return (token.capabilities ?? []).map(name => `${parties} ${name}`)
}

function partiesKey(subject: Did, audience: Did | undefined): string {
  return `${subject} ${audience ?? ''}`
}

/** What tokens are removed by. */
function nonceKey({ issuer, nonce }: Token): string {
  return `${issuer} ${bytesToHex(nonce ?? new Uint8Array())}`
}

function put<K>(index: Map<K, Set<Entry>>, key: K, entry: Entry): void {
  const found = index.get(key)
  if (found === undefined) index.set(key, new Set([entry]))
  else found.add(entry)
}

/** A name listed twice in a token has one entry, which the first of them takes away. */
function take<K>(index: Map<K, Set<Entry>>, key: K, entry: Entry): void {
  const found = index.get(key)
  if (found?.delete(entry) && found.size === 0) index.delete(key)
}
