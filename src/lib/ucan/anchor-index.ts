/**
 * Anchored tokens, found by what they grant. Nothing is ever dropped in favour of a similar token (the
 * de-duplication of existing clients ignores topics, §7.2); only the very same token is stored once.
 */

import type { Did } from '../../types/index.ts'
import { bytesToHex } from '../../utils/index.ts'
import { impliedBy } from './capability.ts'
import { formatToken } from './token-json.ts'
import type { Capability, Token } from './types.ts'

export class AnchorIndex {
  /** Whole text → token, in the order of adding. */
  readonly #byText = new Map<string, Token>()
  /** Subject, audience and one capability → tokens: a look-up costs the segments of the capability, not the anchors. */
  readonly #byGrant = new Map<string, Set<Token>>()
  readonly #bySubject = new Map<Did, Set<Token>>()
  readonly #byNonce = new Map<string, Set<Token>>()
  readonly #order = new Map<Token, number>()
  #next = 0

  get size(): number {
    return this.#byText.size
  }

  values(): Token[] {
    return [...this.#byText.values()]
  }

  /** False when this very token is there already. */
  add(token: Token): boolean {
    const text = formatToken(token)
    if (this.#byText.has(text)) return false
    this.#byText.set(text, token)
    this.#order.set(token, this.#next++)
    for (const key of grantKeys(token)) put(this.#byGrant, key, token)
    put(this.#bySubject, token.subject, token)
    put(this.#byNonce, nonceKey(token), token)
    return true
  }

  /** Removes all tokens with the issuer and nonce of `token` (§7.2). */
  removeByNonce(token: Token): boolean {
    const found = [...(this.#byNonce.get(nonceKey(token)) ?? [])]
    for (const stored of found) this.#remove(stored)
    return found.length > 0
  }

  /** Removes the tokens for which `test` holds; returns how many. */
  removeWhere(test: (token: Token) => boolean): number {
    const found = this.values().filter(test)
    for (const token of found) this.#remove(token)
    return found.length
  }

  /** Tokens given to `subject` for `audience` (or for anyone) that grant `capability`, oldest first. */
  find(subject: Did, audience: Did | undefined, capability: Capability): Token[] {
    const found = new Set<Token>()
    for (const name of impliedBy(capability)) {
      for (const token of this.#byGrant.get(grantKey(subject, undefined, name)) ?? []) found.add(token)
      if (audience === undefined) continue
      for (const token of this.#byGrant.get(grantKey(subject, audience, name)) ?? []) found.add(token)
    }
    return [...found].sort((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0))
  }

  /** Some tokens given to `subject`, whatever they grant: for explaining why none fits. */
  some(subject: Did, limit: number): Token[] {
    return [...(this.#bySubject.get(subject) ?? [])].slice(0, limit)
  }

  #remove(token: Token): void {
    this.#byText.delete(formatToken(token))
    this.#order.delete(token)
    for (const key of grantKeys(token)) take(this.#byGrant, key, token)
    take(this.#bySubject, token.subject, token)
    take(this.#byNonce, nonceKey(token), token)
  }
}

function grantKeys(token: Token): string[] {
  return (token.capabilities ?? []).map(name => grantKey(token.subject, token.audience, name))
}

/** DIDs hold no spaces, so the parts cannot run into each other. */
function grantKey(subject: Did, audience: Did | undefined, capability: Capability): string {
  return `${subject} ${audience ?? ''} ${capability}`
}

function nonceKey(token: Token): string {
  return `${token.issuer} ${token.nonce === null ? '' : bytesToHex(token.nonce)}`
}

function put<K>(index: Map<K, Set<Token>>, key: K, token: Token): void {
  const found = index.get(key)
  if (found === undefined) index.set(key, new Set([token]))
  else found.add(token)
}

function take<K>(index: Map<K, Set<Token>>, key: K, token: Token): void {
  const found = index.get(key)
  if (found?.delete(token) && found.size === 0) index.delete(key)
}
