/** The REST server over real sockets: statuses, refusals, limits, slow clients. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { createApiServer } from '../../../src/api/index.ts'
import { systemClock } from '../../../src/utils/index.ts'
import { startNode } from './node-fixture.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

async function ask(
  port: number,
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: string | Uint8Array; agent?: Agent } = {}
): Promise<Answer> {
  const outgoing = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    headers: options.headers ?? {},
    ...(options.agent ? { agent: options.agent } : {})
  })
  const answered = once(outgoing, 'response')
  outgoing.on('error', () => undefined) // a server that refuses a body may close before it has taken it
  outgoing.end(options.body)
  const [response] = await answered
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, headers: response.headers, text }
}

const JSON_TYPE = { 'content-type': 'application/json' }

describe('the REST server', () => {
  it('answers its routes', async () => {
    await using node = await startNode()
    assert.deepEqual(JSON.parse((await ask(node.port, 'GET', '/health')).text), { status: 'ok' })
    const handle = await ask(node.port, 'GET', '/api/v1/actor/handle?x=1')
    assert.equal(handle.status, 200)
    assert.match(
      handle.text,
      /^\{"id":\{"pub":"BAAREI[A-Z2-7=]+"\},"did":\{"uri":"did:key:z6Mk\w+"\},"addr":\{"host":"12D3KooW\w+","inbox":"root"\}\}$/
    )
    assert.equal(JSON.parse((await ask(node.port, 'GET', '/api/v1/openapi.json')).text).openapi, '3.1.0')
  })

  it('does not know other paths and methods', async () => {
    await using node = await startNode()
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/api/v1/actor/invoke'],
      ['POST', '/health'],
      ['GET', '/api/v1/../health'],
      ['GET', '/constructor']
    ] as const) {
      const answer = await ask(
        node.port,
        method,
        path,
        method === 'POST' ? { headers: JSON_TYPE, body: '{}' } : {}
      )
      assert.deepEqual([answer.status, answer.text], [404, '404 page not found'], path)
    }
  })

  it('refuses strange hosts and origins before it looks at anything else', async () => {
    await using node = await startNode()
    const rebound = await ask(node.port, 'GET', '/health', { headers: { host: 'evil.example' } })
    assert.deepEqual(
      [rebound.status, JSON.parse(rebound.text)],
      [403, { error: "host 'evil.example' is not local" }]
    )
    const page = await ask(node.port, 'POST', '/api/v1/actor/send', {
      headers: { ...JSON_TYPE, origin: 'http://evil.example' },
      body: '{}'
    })
    assert.equal(page.status, 403)
    assert.equal(page.headers['access-control-allow-origin'], undefined)
  })

  it('answers the preflight of the allowed pages', async () => {
    await using node = await startNode()
    const { status, headers } = await ask(node.port, 'OPTIONS', '/api/v1/actor/invoke', {
      headers: { origin: 'http://localhost:9991', 'access-control-request-method': 'POST' }
    })
    assert.equal(status, 204)
    assert.deepEqual(
      [
        headers['access-control-allow-origin'],
        headers['access-control-max-age'],
        headers['access-control-allow-credentials']
      ],
      ['http://localhost:9991', '43200', undefined]
    )
  })

  it('refuses bodies that are no envelope, no JSON, or too large', async () => {
    await using node = await startNode()
    const post = (body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) =>
      ask(node.port, 'POST', '/api/v1/actor/invoke', { headers, body })
    for (const body of ['', 'x', '{', '[]', 'null', '{"to":5}', '['.repeat(1000)])
      assert.equal((await post(body)).status, 400, body.slice(0, 10))
    assert.equal((await post('{}', { 'content-type': 'text/plain' })).status, 415)
    assert.equal((await post(new Uint8Array(2 ** 21))).status, 413)
    assert.equal(
      (await post(new Uint8Array(2 ** 21), { ...JSON_TYPE, 'transfer-encoding': 'chunked' })).status,
      413
    )
    assert.equal((await ask(node.port, 'GET', '/health')).status, 200, 'and goes on')
  })

  it('says that a message without topic is no broadcast', async () => {
    await using node = await startNode()
    const handle = JSON.parse((await ask(node.port, 'GET', '/api/v1/actor/handle')).text)
    const body = JSON.stringify({ to: handle, be: '/x', from: handle, nonce: 1, opt: { exp: 1 }, msg: '' })
    const answer = await ask(node.port, 'POST', '/api/v1/actor/broadcast', { headers: JSON_TYPE, body })
    assert.deepEqual(
      [answer.status, JSON.parse(answer.text)],
      [400, { error: 'message is not a broadcast message' }]
    )
  })

  it('cuts off a client that does not finish its headers or its body', async () => {
    await using node = await startNode({ headersTimeoutMs: 100, requestTimeoutMs: 200 })
    for (const start of [
      'GET /health HTTP/1.1\r\nHost: localhost\r\nX: ',
      'POST /api/v1/actor/send HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{'
    ]) {
      const socket = connect(node.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(start)
      socket.resume()
      await once(socket, 'close')
    }
    assert.equal((await ask(node.port, 'GET', '/health')).status, 200)
  })

  it('works on a bounded number of requests at once', async () => {
    await using node = await startNode({ maxRequests: 1 })
    const slow = connect(node.port, '127.0.0.1')
    slow.on('error', () => undefined)
    slow.write('POST /api/v1/actor/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{')
    let status = 200
    // The slow request counts from when its headers are read; until then others are served.
    while (status === 200) status = (await ask(node.port, 'GET', '/health')).status
    assert.equal(status, 503)
    slow.destroy()
    await once(slow, 'close')
    while (status === 503) status = (await ask(node.port, 'GET', '/health')).status
    assert.equal(status, 200)
  })

  it('survives what is no HTTP', async () => {
    await using node = await startNode()
    const socket = connect(node.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write('\u0016\u0003\u0001hello\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
    assert.equal((await ask(node.port, 'GET', '/health')).status, 200)
  })

  it('says which setting to change when its port is taken, and starts elsewhere after that', async () => {
    await using node = await startNode()
    const deps = {
      handle: node.actor.handle,
      clock: systemClock,
      log: node.log,
      gateway: {
        send: async () => undefined,
        invoke: async () => assert.fail('nothing is invoked'),
        broadcast: async () => []
      }
    }
    await using second = createApiServer(deps, { address: '127.0.0.1', port: node.port })
    await assert.rejects(second.start(), {
      code: 'API_PORT_IN_USE',
      message: `port ${node.port} of 127.0.0.1 is in use`,
      hint: /rest\.port/
    })
    assert.equal(second.address, undefined)
    await assert.rejects(createApiServer(deps, { address: '192.0.2.1', port: 0 }).start(), {
      code: 'API_LISTEN_FAILED'
    })
  })

  it('stops while connections are open and requests wait, starts and stops twice without harm', async () => {
    const node = await startNode()
    const agent = new Agent({ keepAlive: true })
    await ask(node.port, 'GET', '/health', { agent })
    await node.server.start()
    const waiting = connect(node.port, '127.0.0.1')
    waiting.on('error', () => undefined)
    waiting.resume()
    waiting.write('POST /api/v1/actor/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{')
    await once(waiting, 'connect')
    const closed = new Promise(resolve => waiting.once('close', resolve)) // a reset is as good as an end
    await node.server.stop()
    await node.server.stop()
    await closed
    agent.destroy()
    await assert.rejects(ask(node.port, 'GET', '/health'))
    await node[Symbol.asyncDispose]()
  })
})
