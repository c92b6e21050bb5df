/** What orchestrators ask of a running allocation: health, names, statistics, logs. */

import assert from 'node:assert/strict'
import { symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { resolveEndpoint } from '../../../../src/dms/jobs/health-check.ts'
import { httpGet } from '../../../../src/dms/jobs/http-get.ts'
import { createDiskJobFiles } from '../../../../src/dms/jobs/index.ts'
import { addResources } from '../../../../src/dms/resources/index.ts'
import { bytesToUtf8, utf8ToBytes } from '../../../../src/utils/index.ts'
import { temporaryDirectory } from '../../../utils/index.ts'
import {
  amount,
  ENSEMBLE,
  ORCHESTRATOR,
  type ProviderWorld,
  START,
  startedWorld,
  WEB,
  type WorldOptions
} from './world.ts'

const HEALTH = '/dms/actor/healthcheck'
const REGISTER = '/dms/actor/healthcheck/register'
const LOGS = '/dms/ensemble/e1/allocation/logs'

async function runningService(
  params: Record<string, unknown> = {},
  options: WorldOptions = {}
): Promise<ProviderWorld> {
  const world = await startedWorld(options)
  await world.place({ run_for: 'forever', ...params }, 'service')
  assert.equal((await world.call('/dms/allocation/start', START))['OK'], true)
  return world
}

const register = (world: ProviderWorld, HealthCheck: Record<string, unknown>) =>
  world.call(REGISTER, { EnsembleID: ENSEMBLE, HealthCheck })

test('an allocation without a registered check is healthy while it runs, and not when it has ended', async () => {
  await using world = await runningService({ die: '5s' })
  assert.deepEqual(await world.call(HEALTH, WEB), { OK: true, Error: '' })
  await world.clock.advance(5_000)
  assert.equal((await world.call(HEALTH, WEB))['OK'], false)
})

test('a command check wants exit code 0 and the expected text', async () => {
  await using good = await runningService({ exec_stdout: 'all ok here' })
  await register(good, {
    type: 'command',
    exec: ['true'],
    response: { type: 'string', value: 'ok' },
    interval: 1
  })
  assert.equal((await good.call(HEALTH, WEB))['OK'], true)
  await register(good, { type: 'command', exec: ['true'], response: { type: 'string', value: 'fine' } })
  assert.match(String((await good.call(HEALTH, WEB))['Error']), /does not contain 'fine'/)
  await using bad = await runningService({ exec_exit_code: 2 })
  await register(bad, { type: 'command', exec: ['true'] })
  assert.match(String((await bad.call(HEALTH, WEB))['Error']), /code 2/)
})

test('a registered check survives a restart of the daemon', async () => {
  await using world = await runningService({ exec_exit_code: 2 })
  await register(world, { type: 'command', exec: ['true'] })
  await world.reboot()
  await world.clock.advance(1_000)
  assert.match(String((await world.call(HEALTH, WEB))['Error']), /code 2/)
})

test('an http check gets the published port of the allocation and compares the body', async () => {
  const asked: unknown[] = []
  await using world = await runningService(
    {},
    {
      httpGet: async request => {
        asked.push(request)
        return { status: 500, body: 'ready' }
      }
    }
  )
  await register(world, {
    type: 'http',
    endpoint: 'http://localhost:80/ready?x=1',
    response: { type: 'string', value: 'ready' }
  })
  assert.equal((await world.call(HEALTH, WEB))['OK'], true)
  assert.deepEqual(asked, [{ port: 16_400, path: '/ready?x=1', maxBytes: 65_536 }])
  await register(world, { type: 'http', endpoint: 'http://localhost:16400/' })
  assert.match(String((await world.call(HEALTH, WEB))['Error']), /status 500/)
})

test('an http check that gets no answer ends after five seconds', async () => {
  await using world = await runningService(
    {},
    {
      httpGet: (_request, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
  )
  await register(world, { type: 'http', endpoint: 'http://localhost:80/' })
  const reply = world.call(HEALTH, WEB)
  await world.clock.advance(5_000)
  assert.match(String((await reply)['Error']), /longer than 5000 ms/)
})

test('an http check reaches no port and no host beside the allocation', () => {
  const mapping = { '16400': 80 }
  for (const endpoint of [
    'http://localhost:9999/',
    'http://169.254.169.254:8080/',
    'https://localhost:80/',
    'file:///etc/passwd',
    'x',
    ''
  ]) {
    assert.equal(resolveEndpoint(endpoint, mapping).ok, false, endpoint)
  }
  assert.deepEqual(resolveEndpoint('http://169.254.169.254/latest', mapping), {
    ok: true,
    value: { port: 16_400, path: '/latest' }
  })
})

test('the GET of health checks follows no redirect and reads a bounded body', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/big' }).end('moved')
    else if (request.url === '/big') response.end('x'.repeat(2_000))
    else response.end('ok')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo // a TCP server that listens has one
    const { signal } = new AbortController()
    const ask = (path: string) => httpGet({ port, path, maxBytes: 1_000 }, { signal })
    assert.deepEqual(await ask('/'), { status: 200, body: 'ok' })
    assert.deepEqual(await ask('/moved'), { status: 302, body: 'moved' })
    await assert.rejects(ask('/big'), /longer than 1000 bytes/)
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
})

test('names told before the start reach the workload; what is no name or address is refused', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  const path = '/dms/allocation/subnet/dns/add-records'
  assert.equal(
    (await world.call(path, { SubnetID: 'e1', Records: { 'db.internal': '10.0.0.2' } }))['OK'],
    true
  )
  assert.equal((await world.call(path, { Records: { 'web.internal': 'host' } }))['OK'], true)
  for (const Records of [
    { 'a b': '10.0.0.2' },
    { 'a\n1.2.3.4 bank.example': '10.0.0.2' },
    { a: 'not an address' },
    { '': '10.0.0.2' }
  ]) {
    assert.equal((await world.call(path, { Records }))['OK'], false)
  }
  await world.call('/dms/allocation/start', START)
  const [execution] = world.mock.executions.values()
  assert.deepEqual(execution?.request.hosts, { 'db.internal': '10.0.0.2', 'web.internal': 'host' })
})

test('the private network is refused in words, and destroying it is accepted', async () => {
  await using world = await runningService()
  for (const name of ['add-peer', 'map-port', 'accept-peers', 'dns/remove-records']) {
    const reply = await world.call(`/dms/allocation/subnet/${name}`, {})
    assert.equal(reply['Error'], 'private network is not available')
  }
  assert.equal((await world.callNode('/dms/ensemble/e1/node/subnet/create', {}))['OK'], false)
  assert.equal((await world.callNode('/dms/ensemble/e1/node/subnet/destroy', { SubnetID: 'e1' }))['OK'], true)
})

test('statistics have the wire names, and an error once it has ended', async () => {
  await using world = await runningService({ die: '5s' })
  const reply = await world.call('/dms/allocation/stats', {})
  assert.equal(reply['OK'], true)
  assert.deepEqual(reply['Stats'], {
    cpu_usage_percent: 0,
    memory_used_bytes: 0,
    memory_limit_bytes: 2 ** 30,
    network_rx_bytes: 0,
    network_tx_bytes: 0
  })
  await world.clock.advance(5_000)
  assert.equal((await world.call('/dms/allocation/stats', {}))['OK'], false)
})

test('a payload that cannot be read is answered, not ignored', async () => {
  await using world = await runningService()
  const reply = await world.call('/dms/allocation/start', { PortMapping: 7 })
  assert.equal(reply['OK'], false)
  assert.notEqual(reply['Error'], '')
})

test('logs come in chunks with the end marked only when nothing can follow', async () => {
  await using world = await runningService({ stdout: 'hello world', die: '5s' })
  const chunk = (offset: number, max_bytes: number) =>
    world.callNode(LOGS, { AllocName: 'e1_front.web', Stream: 'stdout', offset, max_bytes })
  const first = await chunk(0, 5)
  assert.equal(Buffer.from(String(first['data']), 'base64').toString(), 'hello')
  assert.deepEqual(
    [first['next_offset'], first['total_size'], first['eof'], first['Error']],
    [5, 11, false, '']
  )
  assert.equal((await chunk(11, 5))['eof'], false)
  await world.clock.advance(5_000)
  assert.equal((await chunk(5, 5))['eof'], false)
  assert.equal((await chunk(10, 5))['eof'], true)
  assert.equal((await chunk(99, 5))['data'], '')
})

test('a reader that waits is woken by new output, by the end, or by its time', async () => {
  await using world = await runningService({ die: '30s' })
  const wait = () => world.callNode(LOGS, { AllocName: WEB, Stream: 'stdout', wait_ms: 10_000 })
  const first = wait()
  await world.clock.advance(1_000)
  await world.files.writeAtomic(`/work/jobs/${WEB}/stdout.log`, utf8ToBytes('news'))
  await world.clock.advance(100)
  assert.equal(Buffer.from(String((await first)['data']), 'base64').toString(), 'news')

  await world.files.writeAtomic(`/work/jobs/${WEB}/stdout.log`, utf8ToBytes(''))
  const second = wait()
  await world.clock.advance(10_000)
  assert.deepEqual([(await second)['eof'], (await second)['data']], [false, ''])

  await world.clock.advance(15_000)
  const third = wait()
  await world.clock.advance(5_000)
  assert.equal((await third)['eof'], true)
})

test('after a restart the logs of the execution before are still there, and offsets count on', async () => {
  await using world = await runningService({ stdout: 'first!', stderr: 'oh', die: '5s' })
  const read = async (offset: number, max_bytes = 100) => {
    const reply = await world.callNode(LOGS, { AllocName: WEB, Stream: 'stdout', offset, max_bytes })
    const text = Buffer.from(String(reply['data']), 'base64').toString()
    return [text, reply['offset'], reply['next_offset'], reply['total_size']]
  }
  await world.clock.advance(5_000)
  await world.call('/dms/allocation/restart', WEB)
  assert.deepEqual(await read(0), ['first!', 0, 6, 12])
  assert.deepEqual(await read(6), ['first!', 6, 12, 12])
  assert.deepEqual(await read(4, 3), ['t!', 4, 6, 12])
  const whole = await world.callNode(LOGS, { AllocName: WEB })
  assert.equal(Buffer.from(String(whole['Stdout']), 'base64').toString(), 'first!first!')
  assert.equal(Buffer.from(String(whole['Stderr']), 'base64').toString(), 'ohoh')
  await world.clock.advance(5_000)
  await world.call('/dms/allocation/restart', WEB)
  // The oldest is gone: the reader is taken to the first byte that is left.
  assert.deepEqual(await read(0), ['first!', 6, 12, 18])
  assert.deepEqual(await read(12), ['first!', 12, 18, 18])
})

test('the older form gives both streams whole, by name or by id', async () => {
  await using world = await runningService({ stdout: 'out', stderr: 'err' })
  const expected = {
    Stdout: Buffer.from('out').toString('base64'),
    Stderr: Buffer.from('err').toString('base64'),
    Error: ''
  }
  assert.deepEqual(await world.callNode(LOGS, { AllocName: WEB }), expected)
  assert.deepEqual(await world.callNode(LOGS, { AllocName: 'front.web' }), expected)
  assert.match(
    String((await world.callNode(LOGS, { AllocName: 'front.db' }))['Error']),
    /not on this provider/
  )
})

test('output that does not fit into one message is cut, said so, and still there to be fetched', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: '1s', stdout: 'o'.repeat(700_000), stderr: 'e'.repeat(700_000) })
  await world.call('/dms/allocation/start', START)
  await world.clock.advance(1_000)
  const [end] = world.terminations()
  assert.equal(end?.logs_truncated, true)
  // Base64 inside JSON inside base64 must stay below the 1 MiB of the network.
  assert.ok(((end?.stdout.length ?? 0) + (end?.stderr.length ?? 0)) * (4 / 3) < 2 ** 20 - 8_192)
  const rest = await world.provider.logs(
    ENSEMBLE,
    { AllocName: WEB, Stream: 'stdout', offset: 650_000, max_bytes: 524_288, wait_ms: 0 },
    ORCHESTRATOR
  )
  assert.equal(rest['next_offset'], 700_000)
  assert.equal(rest['eof'], true)
})

test('the workload gets the reserved resources, its scripts in order, and a directory of its own', async () => {
  await using world = await startedWorld()
  const { allocateRequest, bidRequest, commitRequest } = await import('./world.ts')
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  await world.provider.commit(commitRequest(), ORCHESTRATOR)
  const script = (text: string) => Buffer.from(text).toString('base64')
  const request = allocateRequest({ run_for: 'forever' }, 'service', {
    Resources: { cpu: { cores: 0.5 }, ram: { size: 1 }, disk: { size: 1 } },
    ProvisionScripts: { a: script('A'), b: script('B'), c: script('C') },
    ProvisionOrder: ['c', 'missing', 'a']
  })
  await world.provider.allocate(request, ORCHESTRATOR)
  await world.call('/dms/allocation/start', START)
  const [execution] = world.mock.executions.values()
  assert.deepEqual(
    execution?.request.provisionScripts.map(({ name, content }) => name + bytesToUtf8(content)),
    ['cC', 'aA', 'bB']
  )
  assert.equal(execution?.request.resources.cpu.cores, 1)
  assert.equal(execution?.request.resultsDirectory, `/work/jobs/${WEB}`)
  assert.equal(execution?.request.allowPrivileged, false)
  assert.deepEqual(addResources(world.resources.free(), amount(1)), world.resources.onboarded())
})

test('on the disk a directory is private, a range is bounded, and a link is not followed', async () => {
  await using directory = await temporaryDirectory()
  const files = createDiskJobFiles()
  const path = directory.join('jobs', 'a')
  await files.makeDirectory(path)
  const { statSync } = await import('node:fs')
  assert.equal(statSync(path).mode & 0o777, 0o700)
  await writeFile(`${path}/stdout.log`, 'hello world')
  const range = await files.readRange(`${path}/stdout.log`, 6, 3)
  assert.deepEqual([bytesToUtf8(range.data), range.totalBytes], ['wor', 11])
  assert.equal((await files.readRange(`${path}/stdout.log`, 50, 3)).data.length, 0)
  assert.deepEqual(await files.readRange(`${path}/none.log`, 0, 3), { data: new Uint8Array(), totalBytes: 0 })
  await symlink('/etc/passwd', `${path}/stderr.log`)
  await assert.rejects(files.readRange(`${path}/stderr.log`, 0, 3))
  await files.removeDirectory(path)
  await files.removeDirectory(path)
})
