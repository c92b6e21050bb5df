import type { AbortOptions } from '../types/index.ts'
import { CapacityError } from './error.ts'

/**
 * A bounded first-in first-out queue with one or more consumers. When it is full `offer` refuses the newest
 * item: the caller decides whether that is a drop or an error.
 */
export class BoundedQueue<T> {
  readonly #capacity: number
  readonly #items: T[] = []
  readonly #waiting: ((item: T) => void)[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#items.length
  }

  /** False when the queue is full; the item was not taken. */
  offer(item: T): boolean {
    const waiter = this.#waiting.shift()
    if (waiter) {
      waiter(item)
      return true
    }
    if (this.#items.length >= this.#capacity) return false
    this.#items.push(item)
    return true
  }

  /** The next item, waiting for one if need be; rejects with the signal's reason. */
  async take({ signal }: AbortOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    if (this.#items.length > 0) return this.#items.shift() as T // length was checked, T may itself be undefined
    return await new Promise<T>((resolve, reject) => {
      const waiter = (item: T): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve(item)
      }
      const onAbort = (): void => {
        const index = this.#waiting.indexOf(waiter)
        if (index >= 0) this.#waiting.splice(index, 1)
        reject(signal?.reason)
      }
      this.#waiting.push(waiter)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}

/** Runs at most `limit` tasks at once; up to `backlog` more wait in order, further ones are refused. */
export class Limiter {
  readonly #limit: number
  readonly #backlog: number
  #active = 0
  readonly #waiting: (() => void)[] = []

  constructor(limit: number, backlog: number) {
    this.#limit = limit
    this.#backlog = backlog
  }

  get active(): number {
    return this.#active
  }

  /** Runs `task` when a place is free. @throws CapacityError when the backlog is full. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#active >= this.#limit) {
      if (this.#waiting.length >= this.#backlog)
        throw new CapacityError(`more than ${this.#backlog} tasks are waiting`)
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else {
      this.#active++
    }
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#active--
    }
  }
}
