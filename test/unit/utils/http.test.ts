/** One bounded request, against a real server. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { bytesToUtf8, httpExchange, utf8ToBytes } from '../../../src/utils/index.ts'

async function serve(listener: RequestListener): Promise<{ url: URL } & AsyncDisposable> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : assert.fail()
  return {
    url: new URL(`http://127.0.0.1:${port}/`),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

const { signal } = new AbortController()

describe('one HTTP request', () => {
  it('sends method, headers and body, and gives status and body back', async () => {
    await using server = await serve((request, response) => {
      request.setEncoding('utf8')
      request.on('data', text =>
        response.writeHead(201).end(`${request.method} ${request.headers['x-a']} ${text}`)
      )
    })
    const request = { method: 'POST', headers: { 'X-A': 'b' }, body: utf8ToBytes('hi'), maxBytes: 100 }
    const answer = await httpExchange(server.url, request, { signal })
    assert.deepEqual([answer.status, bytesToUtf8(answer.body)], [201, 'POST b hi'])
  })

  it('follows no redirect', async () => {
    let asked = 0
    await using server = await serve((_request, response) => {
      asked++
      response.writeHead(302, { Location: '/elsewhere' }).end()
    })
    assert.equal((await httpExchange(server.url, { maxBytes: 100 }, { signal })).status, 302)
    assert.equal(asked, 1)
  })

  it('takes a body up to its bound and not a byte more', async () => {
    await using server = await serve((_request, response) => response.end('x'.repeat(100_000)))
    assert.equal((await httpExchange(server.url, { maxBytes: 100_000 }, { signal })).body.length, 100_000)
    await assert.rejects(httpExchange(server.url, { maxBytes: 99_999 }, { signal }), {
      code: 'HTTP_FAILED',
      message: /longer than 99999/
    })
  })

  it('does not take half a body for a whole one', async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Length': '10' }).write('half')
      response.socket?.end()
    })
    await assert.rejects(httpExchange(server.url, { maxBytes: 100 }, { signal }), { code: 'HTTP_FAILED' })
  })

  it('ends with its signal, before, while waiting and while reading', async () => {
    const arrived = Promise.withResolvers<void>()
    await using server = await serve((request, response) => {
      if (request.url === '/body') response.write('x', () => arrived.resolve())
      else arrived.resolve()
    })
    await assert.rejects(
      httpExchange(server.url, { maxBytes: 1 }, { signal: AbortSignal.abort(new Error('over')) }),
      /over/
    )
    for (const path of ['/silent', '/body']) {
      const controller = new AbortController()
      const rejected = assert.rejects(
        httpExchange(new URL(path, server.url), { maxBytes: 10 }, controller),
        /enough/
      )
      await arrived.promise
      controller.abort(new Error('enough'))
      await rejected
    }
  })

  it('says who could not be asked', async () => {
    const closed = await serve(() => undefined)
    await closed[Symbol.asyncDispose]()
    await assert.rejects(httpExchange(closed.url, { maxBytes: 1 }, { signal }), {
      code: 'HTTP_FAILED',
      message: /127\.0\.0\.1:\d+' cannot be asked: ECONNREFUSED/
    })
    await assert.rejects(httpExchange(new URL('file:///etc/passwd'), { maxBytes: 1 }, { signal }), {
      message: /not http or https/
    })
  })
})
