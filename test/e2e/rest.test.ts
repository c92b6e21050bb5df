/** The REST API of a running daemon: what it answers, and whom it refuses. */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { Lab, type LabNode } from '../../scripts/lab/lab.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

describe('the REST API of a daemon', () => {
  const lab = new Lab()
  let node: LabNode

  before(async () => {
    node = await lab.createNode('alone')
    await node.createIdentities()
    await node.start()
  })
  after(() => lab[Symbol.asyncDispose]())

  /** A request with headers `fetch` would not let us set. */
  async function ask(
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {}
  ): Promise<Answer> {
    const { method = 'GET', headers = {}, body } = options
    return await new Promise((resolve, reject) => {
      const asking = request({ host: '127.0.0.1', port: node.restPort, path, method, headers }, response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
        )
        response.once('error', reject)
      })
      asking.once('error', reject)
      asking.end(body)
    })
  }

  it('tells the handle of the node', async () => {
    const { status, headers, body } = await ask('/api/v1/actor/handle')
    assert.equal(status, 200)
    assert.match(headers['content-type'] ?? '', /^application\/json/)
    const handle: unknown = JSON.parse(body)
    assert.ok(typeof handle === 'object' && handle !== null)
    assert.deepEqual(Reflect.get(handle, 'did'), { uri: node.dmsDid })
    assert.deepEqual(Reflect.get(handle, 'addr'), { host: node.peerId, inbox: 'root' })
  })

  it('serves the OpenAPI document that is in the documentation', async () => {
    const { status, body } = await ask('/api/v1/openapi.json')
    assert.equal(status, 200)
    const documented: unknown = JSON.parse(
      await readFile(new URL('../../docs/openapi.json', import.meta.url), 'utf8')
    )
    assert.deepEqual(JSON.parse(body), documented)
  })

  it('serves every path of its document', async () => {
    const { body } = await ask('/api/v1/openapi.json')
    const { paths }: { paths: Record<string, Record<string, unknown>> } = JSON.parse(body)
    for (const [path, operations] of Object.entries(paths)) {
      for (const method of Object.keys(operations)) {
        const { status } = await ask(path, { method: method.toUpperCase() })
        assert.notEqual(status, 404, `${method} ${path}`)
      }
    }
  })

  it('refuses a Host that is not local, as a rebound name would send it', async () => {
    for (const host of ['evil.example', `evil.example:${node.restPort}`, '192.0.2.1']) {
      const { status, body } = await ask('/api/v1/actor/handle', { headers: { Host: host } })
      assert.equal(status, 403, host)
      assert.match(body, /host .* is not local/)
      assert.doesNotMatch(body, /did:key/)
    }
    const { status } = await ask('/api/v1/actor/handle', { headers: { Host: `localhost:${node.restPort}` } })
    assert.equal(status, 200)
  })

  it('refuses web pages from elsewhere, also when their browser asks first', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const { status, headers } = await ask('/api/v1/actor/handle', {
        method,
        headers: { Origin: 'https://evil.example' }
      })
      assert.equal(status, 403, method)
      assert.equal(headers['access-control-allow-origin'], undefined)
    }
    const sent = await ask('/api/v1/actor/send', {
      method: 'POST',
      headers: { Origin: 'null', 'Content-Type': 'application/json' },
      body: '{}'
    })
    assert.equal(sent.status, 403)
  })

  it('refuses bodies that are no envelope, and no JSON at all', async () => {
    const headers = { 'Content-Type': 'application/json' }
    for (const body of ['', '{', '{}', '[]', '{"to":1}']) {
      const answer = await ask('/api/v1/actor/invoke', { method: 'POST', headers, body })
      assert.equal(answer.status, 400, body)
      assert.equal(typeof JSON.parse(answer.body).error, 'string')
    }
    const typed = await ask('/api/v1/actor/invoke', {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: '{}'
    })
    assert.equal(typed.status, 415)
  })

  it('listens on the loopback only', async () => {
    const sockets = await readFile('/proc/net/tcp', 'utf8')
    const port = node.restPort.toString(16).toUpperCase().padStart(4, '0')
    const listening = sockets.split('\n').filter(line => / 0A /.test(line) && line.includes(`:${port} `))
    assert.deepEqual(
      listening.map(line => line.trim().split(/\s+/)[1]),
      [`0100007F:${port}`]
    )
  })
})
