/** The command line against a node: REST, gateway, actors and capabilities for real, over an in-memory network. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { Home } from '../../unit/cmd/harness.ts'
import { type NodeFixture, startNode } from './node-fixture.ts'

async function withNode(
  run: (home: Home, node: NodeFixture, cmd: (...args: string[]) => ReturnType<Home['run']>) => Promise<void>
): Promise<void> {
  await using home = await Home.create()
  await using node = await startNode()
  const { did } = await home.addIdentity('user')
  node.trust(did)
  node.actor.addBehavior({
    path: '/public/hello',
    request: z.unknown(),
    handle: () => ({ DID: { uri: node.actor.handle.did } })
  })
  node.actor.addBehavior({
    path: '/broadcast/hello',
    topic: '/nunet/hello',
    request: z.unknown(),
    handle: () => ({ DID: { uri: node.actor.handle.did } })
  })
  node.actor.addBehavior({
    path: '/dms/node/peers/list',
    request: z.unknown(),
    handle: () => ({ Peers: ['<a&b>'], Error: 'partly' })
  })
  await run(home, node, (...args) => home.run(['--rest-port', String(node.port), ...args]))
}

describe('nunet actor', () => {
  it('cmd prints the reply as Go does, and an error inside it is no failure', async () =>
    await withNode(async (_home, node, cmd) => {
      const hello = await cmd('actor', 'cmd', '/public/hello')
      assert.deepEqual(
        [hello.code, hello.out, hello.err],
        [0, `{\n  "DID": {\n    "uri": "${node.actor.handle.did}"\n  }\n}\n`, '']
      )
      const peers = await cmd('-c', 'user', 'actor', 'cmd', '/dms/node/peers/list', '-t', '10s')
      assert.deepEqual(
        [peers.code, peers.out],
        [0, '{\n  "Peers": [\n    "\\u003ca\\u0026b\\u003e"\n  ],\n  "Error": "partly"\n}\n']
      )
    }))

  it('cmd takes the destination as DID, peer id and handle', async () =>
    await withNode(async (_home, node, cmd) => {
      const { did, id, address } = node.actor.handle
      const handle = JSON.stringify({
        id: { pub: id },
        did: { uri: did },
        addr: { host: address.host, inbox: 'root' }
      })
      for (const dest of [did, address.host, handle])
        assert.equal((await cmd('actor', 'cmd', '--dest', dest, '/public/hello')).code, 0, dest)
      assert.match(
        (await cmd('actor', 'cmd', '--dest', 'nonsense', '/public/hello')).err,
        /^Error: invalid destination 'nonsense'/
      )
    }))

  it('a broadcast lists the replies when it expires', async () =>
    await withNode(async (_home, node, cmd) => {
      const { code, out } = await cmd('actor', 'cmd', '-t', '500ms', '/broadcast/hello')
      assert.deepEqual([code, JSON.parse(out)], [0, [{ DID: { uri: node.actor.handle.did } }]])
    }))

  it('a message made by msg is sent, invoked and broadcast, integers untouched', async () =>
    await withNode(async (_home, _node, cmd) => {
      const made = await cmd('actor', 'msg', '--invoke', '/public/hello', '{"x":1}')
      assert.match(made.out, /^\{\n {2}"to": \{\n[\s\S]*\n {2}"nonce": \d{19},\n/)
      assert.match((await cmd('actor', 'invoke', made.out)).out, /"uri": "did:key:/)
      const broadcast = await cmd(
        'actor',
        'msg',
        '-b',
        '/nunet/hello',
        '-t',
        '500ms',
        '/broadcast/hello',
        '{}'
      )
      assert.match((await cmd('actor', 'broadcast', broadcast.out)).out, /^\{\n {2}"DID"/)
      const plain = await cmd('actor', 'msg', '/public/hello', '')
      assert.equal((await cmd('actor', 'send', plain.out)).out, 'null\n')
      assert.match((await cmd('actor', 'invoke', plain.out)).err, /^Error: the message wants no reply/)
      assert.match(
        (await cmd('actor', 'msg', '/public/hello', 'no json')).err,
        /^Error: payload 'no json' is not JSON/
      )
      assert.match((await cmd('actor', 'send', '{}')).err, /^Error: /)
    }))

  it('a stranger meets silence and a timeout; the hint names what may be wrong', async () =>
    await withNode(async (home, _node, cmd) => {
      await home.addIdentity('stranger')
      const { code, out, err } = await cmd('actor', 'cmd', '-c', 'stranger', '-t', '300ms', '/public/hello')
      assert.deepEqual([code, out], [1, ''])
      assert.match(
        err,
        /^Error: request failed with status 408: \{"error":"request timeout"\}\nhint: no reply came/
      )
    }))

  it('who is known hears why it is refused: the tree on standard error, exit code 1', async () =>
    await withNode(async (home, node, cmd) => {
      await home.addIdentity('guest')
      node.actor.addBehavior({
        path: '/dms/node/peers/self',
        request: z.unknown(),
        handle: () => ({
          Error: 'not authorised',
          Refusal: {
            code: 'UCAN_X',
            message: 'no \u001b[2J token',
            causes: [{ code: 'Y', message: 'expired' }]
          }
        })
      })
      const { code, out, err } = await cmd('actor', 'cmd', '/dms/node/peers/self')
      assert.equal(code, 1)
      assert.match(out, /^\{\n {2}"Error": "not authorised",\n {2}"Refusal": \{/)
      assert.match(err, /^Error: no .*token \(UCAN_X\)\n└─ expired \(Y\)\n$/)
      assert.ok(!err.includes('\u001b'))
    }))

  it('never hangs and never asks for a passphrase without a daemon', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    const { code, err, terminal } = await home.run(['--rest-port', '1', 'actor', 'cmd', '/public/hello'])
    assert.equal(code, 1)
    assert.match(
      err,
      /^Error: request failed: dial tcp 127\.0\.0\.1:1: connect: connection refused\nhint: start the daemon/
    )
    assert.deepEqual(terminal.questions, [])
    for (const argv of [['ps'], ['logs', 'x'], ['stop', 'x']] as const)
      assert.equal((await home.run(['--rest-port', '1', ...argv])).code, 1, argv.join(' '))
  })

  it('tells apart no key, no context and a wrong passphrase', async () =>
    await withNode(async (home, node, cmd) => {
      await home.addIdentity('bare', { context: false })
      assert.match(
        (await cmd('actor', 'cmd', '-c', 'nobody', '/public/hello')).err,
        /^Error: could not create security context: there is no key 'nobody'\nhint: /
      )
      assert.match(
        (await cmd('actor', 'cmd', '-c', 'bare', '/public/hello')).err,
        /^Error: could not create security context: there is no capability context 'bare'\nhint: /
      )
      const environment = { DMS_PASSPHRASE: 'wrong' }
      const wrong = await home.run(['--rest-port', String(node.port), 'actor', 'cmd', '/public/hello'], {
        environment
      })
      assert.match(
        wrong.err,
        /^Error: could not create security context: the passphrase does not open the key\nhint: /
      )
    }))

  it('stops at once when interrupted', async () =>
    await withNode(async (home, node) => {
      node.actor.addBehavior({ path: '/public/status', request: z.unknown(), handle: () => undefined })
      const controller = new AbortController()
      const running = home.run(['--rest-port', String(node.port), 'actor', 'cmd', '/public/status'], {
        signal: controller.signal
      })
      await new Promise<void>(resolve => setImmediate(resolve))
      controller.abort(new Error('interrupted'))
      assert.equal((await running).code, 1)
    }))

  it('does not believe a reply that somebody else made', async () =>
    await withNode(async (home, node) => {
      // A man in the middle: passes requests on and answers invocations with an envelope of its own.
      const proxy = createServer((request, response) => {
        const target = `http://127.0.0.1:${node.port}${request.url}`
        if (request.method === 'GET') void fetch(target).then(async found => response.end(await found.text()))
        else {
          let body = ''
          request.on('data', chunk => {
            body += chunk
          })
          request.on('end', () => response.end(body))
        }
      }).listen(0, '127.0.0.1')
      await once(proxy, 'listening')
      const address = proxy.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const { code, out, err } = await home.run([
        '--rest-port',
        String(port),
        'actor',
        'cmd',
        '/public/hello'
      ])
      proxy.closeAllConnections()
      proxy.close()
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, /^Error: the reply cannot be trusted: /)
    }))
})

describe('human commands', () => {
  it('answer a refusal with exit code 3 and its tree', async () =>
    await withNode(async (_home, node, cmd) => {
      const undo = node.actor.addBehavior({
        path: '/dms/node/deployment/list',
        request: z.unknown(),
        handle: () => ({ Error: 'x', Refusal: { code: 'UCAN_X', message: 'no token' } })
      })
      const refused = await cmd('ps')
      assert.equal(refused.code, 3)
      assert.match(
        refused.err,
        /^Error: the node refused '\/dms\/node\/deployment\/list'\nno token \(UCAN_X\)\nhint: /
      )
      undo()
    }))

  it('ps lists deployments and allocations, as a table and as JSON', async () =>
    await withNode(async (_home, node, cmd) => {
      const id = 'abcdef0123456789'
      node.actor.addBehavior({
        path: '/dms/node/deployment/list',
        request: z.unknown(),
        handle: () => ({
          deployments: [{ orchestrator_id: id, status: 'Running', created_at: new Date().toISOString() }],
          total: 1,
          has_more: false
        })
      })
      const manifest = {
        nodes: { n: { peer: '12D3KooWLYnqpr5jnTXR' } },
        allocations: {
          'n.a': { node_id: 'n', status: 'failed', exit_code: 3, error: 'it broke', ports: { '8080': 80 } }
        }
      }
      node.actor.addBehavior({
        path: '/dms/node/deployment/info',
        request: z.unknown(),
        handle: () => ({ id, status: 'Running', manifest })
      })
      const table = await cmd('ps')
      assert.match(
        table.out,
        /^DEPLOYMENT +STATUS +AGE +ALLOCATION .*\nabcdef012345 +Running +\ds +n\.a +failed +12D3…5jnTXR +3 +8080→80 it broke\n$/
      )
      const [row] = JSON.parse((await cmd('ps', '-o', 'json')).out)
      assert.deepEqual(
        [row.id, row.allocations[0].exit_code, row.allocations[0].ports],
        [id, 3, { 8080: 80 }]
      )
      assert.equal((await cmd('ps', '-o', 'yaml')).code, 2)
    }))

  it('stop ends deployments by the beginning of their id; some of several is exit code 5', async () =>
    await withNode(async (_home, node, cmd) => {
      node.actor.addBehavior({
        path: '/dms/node/deployment/list',
        request: z.unknown(),
        handle: () => ({ deployments: [{ orchestrator_id: 'abc', status: 'Running' }] })
      })
      node.actor.addBehavior({
        path: '/dms/node/deployment/shutdown',
        request: z.object({ ID: z.literal('abc') }),
        handle: () => ({ OK: true, Error: '' })
      })
      assert.deepEqual([(await cmd('stop', 'a')).out, (await cmd('stop', 'a')).code], ['abc\n', 0])
      const both = await cmd('stop', 'a', 'zzz')
      assert.deepEqual([both.code, both.out], [5, 'abc\n'])
      assert.match(both.err, /^Error: there is no deployment 'zzz'\n$/)
    }))

  it('deploy follows to the end, prints the outcome as JSON and exits with the verdict', async () =>
    await withNode(async (home, node, cmd) => {
      const file = await home.write(
        'task.yaml',
        'version: V1\nallocations:\n  a:\n    type: task\n    executor: docker\n    resources: { cpu: { cores: 1 }, ram: { size: 1 }, disk: { size: 1 } }\n    execution: { type: docker, image: busybox }\nnodes:\n  n: { allocations: [a] }\n'
      )
      const events = [
        { sequence: 1, at_ms: 1, type: 'status', data: { status: 'Preparing' } },
        {
          sequence: 2,
          at_ms: 2,
          type: 'allocation',
          data: {
            allocation: 'n.a',
            node: 'n',
            peer: 'p',
            status: 'failed',
            exit_code: 3,
            reason: 'it broke'
          }
        },
        {
          sequence: 3,
          at_ms: 3,
          type: 'status',
          data: {
            status: 'Failed',
            error: { code: 'DEPLOYMENT_TASKS_FAILED', message: '1 of 1 tasks failed' }
          }
        }
      ]
      let sent: unknown
      node.actor.addBehavior({
        path: '/dms/node/deployment/new',
        request: z.unknown(),
        handle: ({ payload }) => {
          sent = payload
          return { Status: 'OK', EnsembleID: 'abc' }
        }
      })
      node.actor.addBehavior({
        path: '/dms/node/deployment/events',
        request: z.object({ after: z.number() }),
        handle: ({ payload }) => ({
          events: events.filter(event => event.sequence > payload.after),
          error: ''
        })
      })
      const done = await cmd('deploy', '-o', 'json', file)
      assert.equal(done.code, 1)
      assert.equal(
        JSON.parse(JSON.stringify(sent)).Ensemble.v1.allocations.a.execution.params.image,
        'busybox'
      )
      assert.deepEqual(JSON.parse(done.out).allocations, [
        { name: 'n.a', status: 'failed', peer: 'p', exit_code: 3, reason: 'it broke' }
      ])
      assert.match(done.err, /Error: deployment failed\n1 of 1 tasks failed \(DEPLOYMENT_TASKS_FAILED\)\n/)
      assert.deepEqual(
        [(await cmd('deploy', '--detach', file)).out, (await cmd('deploy', '-d', file)).code],
        ['abc\n', 0]
      )
      assert.equal((await cmd('deploy', '--timeout', '5s', file)).code, 2)
      const broken = await cmd('deploy', await home.write('broken.yaml', 'version: V1\nallocations: 5\n'))
      assert.deepEqual(
        [broken.code, /broken\.yaml:2:14/.test(broken.err), /nothing was sent\n$/.test(broken.err)],
        [1, true, true],
        broken.err
      )
    }))
})
