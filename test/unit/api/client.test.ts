/** The REST client against servers that misbehave: it never hangs and says what is wrong. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type ApiClient, createApiClient } from '../../../src/api/client/index.ts'
import { bytesToUtf8, systemClock, utf8ToBytes } from '../../../src/utils/index.ts'

interface Peer extends AsyncDisposable {
  readonly client: ApiClient
  readonly received: string[]
}

/** A TCP server that answers whatever comes with some text. */
async function peer(onData: (socket: Socket, text: string) => void): Promise<Peer> {
  const sockets = new Set<Socket>()
  const received: string[] = []
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', data => {
      received.push(data.toString('latin1'))
      onData(socket, data.toString('latin1'))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : assert.fail()
  const client = createApiClient({ clock: systemClock }, { address: '127.0.0.1', port })
  return {
    client,
    received,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]()
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

const answer = (status: string, body: string): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : assert.fail()
}

describe('the REST client', () => {
  it('posts bytes as they are and returns the body as it is', async () => {
    await using other = await peer(socket => socket.write(answer('200 OK', '{"nonce":18446744073709551615}')))
    const body = utf8ToBytes('{"exp":18446744073709551615}')
    assert.equal(bytesToUtf8(await other.client.invoke(body)), '{"nonce":18446744073709551615}')
    assert.match(
      other.received.join(''),
      /^POST \/api\/v1\/actor\/invoke HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n[\s\S]*Content-Type: application\/json\r\n[\s\S]*\{"exp":18446744073709551615\}$/
    )
  })

  it('uses one connection for requests after one another', async () => {
    let connections = 0
    await using other = await peer(socket => {
      if (socket.listenerCount('counted') === 0) connections++
      socket.on('counted', () => undefined)
      socket.write(answer('200 OK', '{}'))
    })
    await other.client.handle()
    await other.client.health()
    assert.equal(connections, 1)
  })

  it('says at once that nobody listens, with the existing words and what to do', async () => {
    using client = createApiClient({ clock: systemClock }, { address: '127.0.0.1', port: await freePort() })
    await assert.rejects(client.handle(), {
      code: 'API_UNREACHABLE',
      message: /^request failed: dial tcp 127\.0\.0\.1:\d+: connect: connection refused$/,
      hint: /nunet run/
    })
  })

  it('tells a timeout of the node from other statuses', async () => {
    await using other = await peer(
      (socket, text) =>
        void socket.write(
          text.includes('invoke')
            ? answer('408 Request Timeout', '{"error":"request timeout"}')
            : answer('500 X', '{"error":"boom"}')
        )
    )
    await assert.rejects(other.client.invoke(new Uint8Array()), {
      code: 'API_TIMEOUT',
      message: 'request failed with status 408: {"error":"request timeout"}'
    })
    await assert.rejects(other.client.handle(), {
      code: 'API_STATUS',
      status: 500,
      message: 'request failed with status 500: {"error":"boom"}'
    })
  })

  it('gives up on a server that says nothing, and on one that stops in the middle', async () => {
    await using silent = await peer(() => undefined)
    await assert.rejects(silent.client.handle({ timeoutMs: 50 }), {
      code: 'API_TIMEOUT',
      message: /^request deadline exceeded:/
    })
    await using half = await peer(
      socket => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{')
    )
    await assert.rejects(half.client.handle({ timeoutMs: 50 }), { code: 'API_TIMEOUT' })
  })

  it('stops when its caller does', async () => {
    await using silent = await peer(() => undefined)
    const controller = new AbortController()
    const asking = silent.client.handle({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await assert.rejects(asking, { code: 'API_CANCELED', message: 'request canceled: enough' })
    await assert.rejects(silent.client.handle({ signal: AbortSignal.abort(new Error('never')) }), {
      code: 'API_CANCELED'
    })
  })

  it('explains what is no HTTP server, and a connection that is cut', async () => {
    await using tls = await peer(socket => void socket.write(new Uint8Array([0x15, 3, 1, 0, 2, 2, 70])))
    await assert.rejects(tls.client.handle(), { code: 'API_PROTOCOL', message: /https/ })
    await using cut = await peer(socket => void socket.destroy())
    await assert.rejects(cut.client.handle(), { code: 'API_UNREACHABLE', message: /closed the connection/ })
  })

  it('does not take an answer without end', async () => {
    await using flood = await peer(socket => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n')
      const chunk = Buffer.alloc(2 ** 20)
      const pump = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      }
      socket.on('drain', pump)
      pump()
    })
    await assert.rejects(flood.client.handle(), { code: 'API_PROTOCOL' })
  })

  it('dials the loopback when the daemon listens on all addresses', () => {
    for (const [address, target] of [
      ['0.0.0.0', '127.0.0.1:1'],
      ['::', '[::1]:1'],
      ['[::1]', '[::1]:1'],
      ['', '127.0.0.1:1']
    ] as const) {
      using client = createApiClient({ clock: systemClock }, { address, port: 1 })
      assert.equal(client.target, target)
    }
  })
})
