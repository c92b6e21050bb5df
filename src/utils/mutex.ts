/** Runs critical sections one after another, in the order they were asked for. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve()

  async run<T>(section: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(section)
    this.#tail = result.catch(() => undefined)
    return await result
  }
}
