/** A Unix socket in front of the Docker engine's own, which a test can cut and bring back: an engine that goes away. */

import { rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'

export class EngineProxy implements AsyncDisposable {
  readonly path: string
  readonly #target: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  constructor(path: string, target: string) {
    this.path = path
    this.#target = target
  }

  async open(): Promise<void> {
    const server = createServer(socket => this.#join(socket))
    await rm(this.path, { force: true })
    await new Promise<void>(resolve => server.listen(this.path, resolve))
    this.#server = server
  }

  /** Breaks every connection, and takes no more. */
  async cut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    if (server !== undefined) await new Promise(resolve => server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut()
  }

  #join(client: Socket): void {
    const engine = connect(this.#target)
    for (const socket of [client, engine]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        engine.destroy()
      })
    }
    client.pipe(engine)
    engine.pipe(client)
  }
}
