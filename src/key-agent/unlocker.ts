/** Opens sealed keys for the ring: one derivation at a time, few that wait, and slower after wrong passphrases. */

import type { KeyStore, PrivateKey } from '../lib/crypto/index.ts'
import { keySigner, type Signer } from '../lib/did/index.ts'
import type { AbortOptions, Clock, FileStore } from '../types/index.ts'
import { bytesEqual, CapacityError, childPath, errorCode, formatDuration, Limiter } from '../utils/index.ts'
import { FIRST_DELAY_MS, FREE_TRIES, MAX_DELAY_MS, MAX_WAITING_UNLOCKS } from './constants.ts'
import { Elapsed } from './elapsed.ts'
import { KeyAgentError } from './errors.ts'
import type { KeyRing, KeyTimes } from './key-ring.ts'
import type { HeldKeyStatus } from './types.ts'

export interface UnlockerDeps {
  readonly clock: Clock
  readonly files: Pick<FileStore, 'read'>
  readonly keys: Pick<KeyStore, 'open'>
  readonly ring: KeyRing
}

export class Unlocker {
  readonly #deps: UnlockerDeps
  readonly #directory: string
  readonly #limiter = new Limiter(1, MAX_WAITING_UNLOCKS)
  #failures = 0
  #sinceFailure: Elapsed

  /** `directory`: of the sealed keys. */
  constructor(deps: UnlockerDeps, { directory }: { directory: string }) {
    this.#deps = deps
    this.#directory = directory
    this.#sinceFailure = new Elapsed(deps.clock)
  }

  /** Opens a key and holds it. @throws KeyStoreError, KeyAgentError `KEY_AGENT_WAIT`, `KEY_AGENT_BUSY` */
  async unlock(
    { name, passphrase }: { name: string; passphrase: string },
    times: () => KeyTimes,
    options: AbortOptions = {}
  ): Promise<HeldKeyStatus> {
    const { locks } = this.#deps.ring
    try {
      const opened = await this.#limiter.run(() => this.#open(name, passphrase))
      options.signal?.throwIfAborted() // who asked is gone
      if (locks === this.#deps.ring.locks)
        return this.#deps.ring.add(name, opened.signer, opened.sealed, times())
    } catch (error) {
      if (!(error instanceof CapacityError)) throw error
      throw new KeyAgentError('KEY_AGENT_BUSY', 'the agent is opening other keys', {
        cause: error,
        hint: 'try again in some seconds'
      })
    }
    throw new KeyAgentError('KEY_AGENT_REFUSED', `key '${name}' was locked while it was being opened`, {
      hint: 'unlock it again if that was not meant'
    })
  }

  /** Whether the sealed file of a key is still the one it was opened from. */
  async isCurrent(name: string, sealed: Uint8Array): Promise<boolean> {
    const content = await this.#deps.files.read(this.#path(name))
    return content !== undefined && bytesEqual(content, sealed)
  }

  async #open(name: string, passphrase: string): Promise<{ signer: Signer; sealed: Uint8Array }> {
    const { files, ring } = this.#deps
    this.#requirePatience()
    ring.requireRoom(name)
    const sealed = await files.read(this.#path(name))
    const signer = keySigner(await this.#derive(name, passphrase))
    if (sealed === undefined || !(await this.isCurrent(name, sealed))) {
      throw new KeyAgentError('KEY_AGENT_REFUSED', `key '${name}' was replaced while it was being opened`, {
        hint: 'unlock it again'
      })
    }
    return { signer, sealed }
  }

  /** NOTE: takes no signal. A derivation cannot be stopped, and the next one must wait until it has given its memory back. */
  async #derive(name: string, passphrase: string): Promise<PrivateKey> {
    try {
      const key = await this.#deps.keys.open(name, passphrase)
      this.#failures = 0
      return key
    } catch (error) {
      if (errorCode(error) === 'KEY_PASSPHRASE_WRONG') {
        this.#failures++
        this.#sinceFailure = new Elapsed(this.#deps.clock)
      }
      throw error
    }
  }

  #requirePatience(): void {
    if (this.#failures < FREE_TRIES) return
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (this.#failures - FREE_TRIES), MAX_DELAY_MS)
    const leftMs = delayMs - this.#sinceFailure.ms
    if (leftMs <= 0) return
    throw new KeyAgentError(
      'KEY_AGENT_WAIT',
      `${this.#failures} wrong passphrases in a row; the next try is taken in ${formatDuration(leftMs)}`,
      { hint: 'wait, then unlock again' }
    )
  }

  #path(name: string): string {
    return childPath(this.#directory, `${name}.json`)
  }
}
