/**
 * Daemons end, politely or by `kill -9`, while services run: the workloads go on, and the next daemon finds the
 * deployment and them again. That a provider killed between commit and allocate frees its reservation cannot be hit
 * from outside; test/integration/dms/recovery.test.ts kills it at that very step.
 */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createNetwork, Lab, type LabNode } from '../../scripts/lab/lab.ts'
import { freePublicPort } from '../../scripts/lab/ports.ts'
import { containersOf, wasmRunnersOf } from '../../scripts/lab/workloads.ts'
import {
  assertNothingAllocated,
  deployByActor,
  docker,
  dockerImage,
  fetchPatiently,
  liveAllocations,
  nameOf,
  needsDocker,
  until,
  untilStatus,
  wasm,
  writeEnsemble
} from './support.ts'

/** A daemon that was told to stop. Milliseconds. */
const STOP_LIMIT_MS = 5000

const image = await dockerImage()

describe('when daemons end while services run', () => {
  const lab = new Lab()
  let alice: LabNode
  let bob: LabNode
  /** The WASM service and, where there is Docker, the container, with what identifies the running workload. */
  const ticker = { id: '', pid: 0 }
  let web = { id: '', container: '', port: 0 }

  before(async () => {
    const [first, second] = await createNetwork(lab, ['alice', 'bob'])
    assert.ok(first && second)
    ;[alice, bob] = [first, second]
    const nodes = { one: { allocations: ['ticker'] } }
    const service = wasm('ticker', { type: 'service' })
    ticker.id = await deployByActor(alice, await writeEnsemble(alice, 'ticker', { ticker: service }, nodes))
    if (typeof image !== 'string') {
      const port = await freePublicPort()
      const script = 'echo served > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'
      const front = { allocations: ['web'], ports: [{ public: port, private: 8080, allocation: 'web' }] }
      const file = await writeEnsemble(alice, 'web', { web: docker(image.name, script) }, { front })
      web = { ...web, id: await deployByActor(alice, file), port }
      await untilStatus(alice, web.id, 'Running')
      web.container = await onlyContainer()
    }
    await untilStatus(alice, ticker.id, 'Running')
    ticker.pid = await onlyRunner()
  })
  after(async () => {
    await lab[Symbol.asyncDispose]()
    if (typeof image !== 'string') await image.undo()
  })

  async function onlyRunner(): Promise<number> {
    const pids = await wasmRunnersOf(bob.directory)
    assert.equal(pids.length, 1, `${pids.length} WASM processes run`)
    return pids[0] ?? 0
  }

  async function onlyContainer(): Promise<string> {
    const containers = await containersOf(bob.peerId)
    assert.deepEqual(
      containers.map(({ state }) => state),
      ['running']
    )
    return containers[0]?.id ?? ''
  }

  async function ticks(): Promise<number> {
    const lines = (await alice.run(['logs', ticker.id])).split('\n')
    assert.deepEqual(
      lines,
      lines.map((_, index) => `tick ${index + 1}`),
      'ticks are missing or doubled'
    )
    return lines.length
  }

  /** Both services run, they are the same as ever, and their deployments answer every question. */
  async function assertServicesAnswer(): Promise<void> {
    await until('both are known to run', async () => {
      const [all, live] = await Promise.all([alice.run(['ps', '-o', 'json']), liveAllocations(bob)])
      const rows: { status: string; allocations: { status: string }[] }[] = JSON.parse(all)
      const statuses = rows.flatMap(row => [row.status, ...row.allocations.map(({ status }) => status)])
      const wanted = web.id === '' ? 1 : 2
      return live.length === wanted && statuses.every(status => /^running$/i.test(status))
    })
    const before = await ticks()
    await until('more ticks are read', async () => (await ticks()) > before)
    assert.equal(await onlyRunner(), ticker.pid, 'another process took its place')
    if (web.id === '') return
    assert.equal(await fetchPatiently(`http://127.0.0.1:${web.port}/`), 'served\n')
    assert.equal(await onlyContainer(), web.container, 'another container took its place')
  }

  it('the services run at all', assertServicesAnswer)

  it('kill -9 of the orchestrating daemon: the next one finds the deployments and they answer', async () => {
    await alice.kill()
    assert.equal(await onlyRunner(), ticker.pid)
    await alice.start()
    await assertServicesAnswer()
  })

  it('kill -9 of the provider: the next daemon adopts the workloads and they answer', async () => {
    await bob.kill()
    assert.equal(await onlyRunner(), ticker.pid)
    await bob.start()
    await assertServicesAnswer()
  })

  it('daemons that are told to stop end by themselves, at once and with success; the workloads go on and are adopted', async () => {
    const ended = await Promise.all(
      [alice, bob].map(async node => {
        const { daemon } = node
        const started = performance.now()
        await node.stop()
        return { code: daemon?.exitCode, signal: daemon?.signalCode, tookMs: performance.now() - started }
      })
    )
    for (const { code, signal, tookMs } of ended) {
      assert.deepEqual({ code, signal }, { code: 0, signal: null })
      assert.ok(tookMs < STOP_LIMIT_MS, `it took ${Math.round(tookMs)} ms`)
    }
    assert.equal(await onlyRunner(), ticker.pid)
    await alice.start()
    await bob.start()
    await assertServicesAnswer()
  })

  it('kill -9 of both at once: the deployments are found and the workloads adopted', async () => {
    await Promise.all([alice.kill(), bob.kill()])
    await alice.start()
    await bob.start()
    await assertServicesAnswer()
  })

  it('a container is removed by a shutdown after all that', needsDocker(image), async () => {
    nameOf(image)
    const reply = await alice.cmd('/dms/node/deployment/shutdown', '--id', web.id)
    assert.deepEqual(reply, { OK: true, Error: '' })
    assert.deepEqual(await containersOf(bob.peerId), [])
    await assert.rejects(fetch(`http://127.0.0.1:${web.port}/`))
  })

  it('a WASM service is ended by a shutdown after all that, and the provider has everything back', async () => {
    assert.deepEqual(await alice.cmd('/dms/node/deployment/shutdown', '--id', ticker.id), {
      OK: true,
      Error: ''
    })
    await until('its process is gone', async () => (await wasmRunnersOf(bob.directory)).length === 0)
    await assertNothingAllocated(bob)
    await untilStatus(alice, ticker.id, 'Completed')
  })

  it('a workload whose deployment was ended while its provider was away does not run on', async () => {
    const service = wasm('ticker', { type: 'service' })
    const file = await writeEnsemble(
      alice,
      'orphan',
      { ticker: service },
      { one: { allocations: ['ticker'] } }
    )
    const id = await deployByActor(alice, file)
    await untilStatus(alice, id, 'Running')
    await bob.kill()
    assert.equal((await wasmRunnersOf(bob.directory)).length, 1)
    await alice.try(['actor', 'cmd', '-c', 'user', '/dms/node/deployment/shutdown', '--id', id, '-t', '60s'])
    await bob.start()
    await until('its process is gone', async () => (await wasmRunnersOf(bob.directory)).length === 0)
    await until('the provider has everything back', async () => (await liveAllocations(bob)).length === 0)
    await assertNothingAllocated(bob)
  })
})
