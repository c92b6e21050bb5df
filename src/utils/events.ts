/** A typed event source without names: subscribe with a function, get back the way to leave. */
export class Emitter<T> {
  readonly #listeners = new Set<(event: T) => void>()

  /** Number of listeners, for leak checks in tests. */
  get listenerCount(): number {
    return this.#listeners.size
  }

  on(listener: (event: T) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Calls each listener in order of subscription. A listener must not throw. */
  emit(event: T): void {
    for (const listener of [...this.#listeners]) listener(event)
  }

  /** The next event that satisfies `predicate`; rejects with the signal's reason. */
  async next(predicate: (event: T) => boolean, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    return await new Promise<T>((resolve, reject) => {
      const leave = this.on(event => {
        if (!predicate(event)) return
        cleanUp()
        resolve(event)
      })
      const onAbort = (): void => {
        cleanUp()
        reject(signal?.reason)
      }
      const cleanUp = (): void => {
        leave()
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}
