/** A timer of the virtual clock. */
export interface Entry {
  readonly dueMs: number
  /** Decides between timers of the same time: first set, first run. */
  readonly order: number
  readonly callback: () => void
}

/** Waiting timers, earliest first. A simulation has thousands; looking at all of them for each step would be the most of its work. */
export class TimerHeap {
  readonly #heap: Entry[] = []
  /** Timers that wait. One that was cancelled leaves here at once and the heap when it comes up. */
  readonly #waiting = new Set<Entry>()

  get size(): number {
    return this.#waiting.size
  }

  add(entry: Entry): void {
    this.#waiting.add(entry)
    this.#heap.push(entry)
    let at = this.#heap.length - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#swapIfEarlier(at, parent)) return
      at = parent
    }
  }

  remove(entry: Entry): void {
    if (!this.#waiting.delete(entry)) return
    // Deadlines are mostly cancelled long before they are due: do not keep them all until then.
    if (this.#heap.length > 64 && this.#heap.length > this.#waiting.size * 4) this.#rebuild()
  }

  /** Takes out the earliest timer that is due at `endMs` or before. */
  takeUntil(endMs: number): Entry | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || (this.#waiting.has(first) && first.dueMs > endMs)) return undefined
      this.#dropFirst()
      if (this.#waiting.delete(first)) return first
    }
  }

  #dropFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const child = left + 1 < this.#heap.length && this.#isEarlier(left + 1, left) ? left + 1 : left
      if (child >= this.#heap.length || !this.#swapIfEarlier(child, at)) return
      at = child
    }
  }

  #rebuild(): void {
    this.#heap.length = 0
    // A sorted list is a heap.
    this.#heap.push(...[...this.#waiting].sort((a, b) => a.dueMs - b.dueMs || a.order - b.order))
  }

  #swapIfEarlier(below: number, above: number): boolean {
    if (!this.#isEarlier(below, above)) return false
    const [lower, upper] = [this.#heap[below], this.#heap[above]]
    if (lower && upper) [this.#heap[below], this.#heap[above]] = [upper, lower]
    return true
  }

  #isEarlier(first: number, second: number): boolean {
    const [a, b] = [this.#heap[first], this.#heap[second]]
    return a !== undefined && b !== undefined && (a.dueMs - b.dueMs || a.order - b.order) < 0
  }
}
