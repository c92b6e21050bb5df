import { errorMessage } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { oneLine } from '../cli/printable.ts'
import type { NodeClient } from '../deployments/connect.ts'
import { showLog } from '../logs/handler.ts'

export interface LogOptions {
  readonly wanted: boolean
  /** With the name of the allocation in front of each line. */
  readonly named: boolean
}

const STREAMS = ['stdout', 'stderr'] as const

/** Prints the logs of allocations from the moment they are known. Dispose it: no request is left behind. */
export class LogFollower implements AsyncDisposable {
  readonly #cli: Cli
  readonly #node: NodeClient
  readonly #id: string
  readonly #options: LogOptions
  readonly #stop = new AbortController()
  readonly #running = new Map<string, Promise<void>>()

  constructor(cli: Cli, node: NodeClient, id: string, options: LogOptions) {
    this.#cli = { ...cli, signal: AbortSignal.any([cli.signal, this.#stop.signal]) }
    this.#node = node
    this.#id = id
    this.#options = options
  }

  /** Starts with those that are new. */
  follow(names: readonly string[]): void {
    if (!this.#options.wanted) return
    for (const name of names) {
      if (!this.#running.has(name)) this.#running.set(name, this.#show(name))
    }
  }

  /** Waits for the end of the logs, when what wrote them has ended. */
  async finish(ended: boolean): Promise<void> {
    if (ended) await Promise.all(this.#running.values())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running.values())
  }

  /** Never rejects: trouble with a log is no trouble with the deployment. */
  async #show(allocation: string): Promise<void> {
    const show = (stream: 'stdout' | 'stderr'): Promise<void> =>
      showLog(
        this.#cli,
        this.#node,
        { deployment: this.#id, allocation, stream },
        { follow: true, tail: undefined, named: this.#options.named }
      )
    try {
      await Promise.all(STREAMS.map(show))
    } catch (error) {
      if (!this.#cli.signal.aborted) this.#cli.terminal.err(`warning: ${oneLine(errorMessage(error))}\n`)
    }
  }
}
