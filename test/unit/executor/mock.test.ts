import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExecutionRequest } from '../../../src/executor/index.ts'
import { createMockExecutor, createMockWorld } from '../../../src/executor/mock/index.ts'
import { bytesToUtf8, MemoryFiles, VirtualClock } from '../../../src/utils/index.ts'

function requestOf(params: Record<string, unknown>, more: Partial<ExecutionRequest> = {}): ExecutionRequest {
  return {
    executionId: 'x1',
    jobId: 'j1',
    engine: { type: 'mock', params },
    resources: { cpu: { cores: 1 }, ram: { size: 1 }, disk: { size: 1 } },
    resultsDirectory: '/r',
    ports: [],
    mounts: [],
    provisionScripts: [],
    hosts: {},
    allowPrivileged: false,
    ...more
  }
}

function setUp() {
  const clock = new VirtualClock()
  const files = new MemoryFiles()
  const world = createMockWorld()
  const create = () => createMockExecutor({ clock, files }, { ownerId: 'o', world })
  return { clock, files, world, create, executor: create() }
}

test('a workload ends after run_for on the given clock with its exit code and output', async () => {
  const { clock, files, executor } = setUp()
  const handle = await executor.start(requestOf({ run_for: '10s', exit_code: 7, stdout: 'hi' }))
  await clock.advance(9_999)
  assert.equal(await executor.status(handle), 'running')
  await clock.advance(1)
  assert.deepEqual(await executor.wait(handle), { exitCode: 7, killed: false, error: 'exited with code 7' })
  assert.equal(bytesToUtf8((await files.read('/r/stdout.log')) ?? new Uint8Array()), 'hi')
})

test('a workload outlives its executor and is found again by a new one of the same world', async () => {
  const { clock, create, executor } = setUp()
  const handle = await executor.start(requestOf({ run_for: '10s' }))
  await executor.close()
  const second = create()
  assert.equal(await second.recover(handle), 'running')
  await clock.advance(10_000)
  assert.equal((await second.wait(handle)).exitCode, 0)
})

test('a wait at a closed executor is refused instead of hanging', async () => {
  const { executor } = setUp()
  const handle = await executor.start(requestOf({ run_for: 'forever' }))
  const waiting = assert.rejects(executor.wait(handle), { code: 'EXECUTOR_UNAVAILABLE' })
  await executor.close()
  await waiting
})

test('lost_on_recover leaves nothing to find', async () => {
  const { executor } = setUp()
  const handle = await executor.start(requestOf({ run_for: 'forever', lost_on_recover: true }))
  assert.equal(await executor.recover(handle), 'lost')
  assert.equal((await executor.wait(handle)).exitCode, -1)
  assert.deepEqual(await executor.list(), [])
})

test('ignore_stop holds out until the grace is over', async () => {
  const { clock, executor } = setUp()
  const handle = await executor.start(requestOf({ run_for: 'forever', ignore_stop: true }))
  const stopping = executor.stop(handle, { graceMs: 5_000 })
  await clock.advance(4_999)
  assert.equal(await executor.status(handle), 'running')
  await clock.advance(1)
  await stopping
  assert.deepEqual(await executor.wait(handle), { exitCode: 137, killed: true, error: 'stopped on request' })
})

test('fail_start throws the asked error and leaves nothing behind', async () => {
  const { executor } = setUp()
  const start = executor.start(requestOf({ fail_start: 'no such image', fail_code: 'EXECUTOR_IMAGE' }))
  await assert.rejects(start, { code: 'EXECUTOR_IMAGE', message: 'no such image' })
  assert.deepEqual(await executor.list(), [])
})

test('block_start takes its time, and an abort meanwhile removes what was made', async () => {
  const { clock, executor } = setUp()
  const slow = executor.start(requestOf({ block_start: '3s', run_for: 'forever' }))
  await clock.advance(3_000)
  await slow
  const controller = new AbortController()
  const blocked = executor.start(requestOf({ block_start: true }, { executionId: 'x2' }), {
    signal: controller.signal
  })
  controller.abort(new Error('enough'))
  await assert.rejects(blocked, /enough/)
  assert.deepEqual(await executor.list(), ['x1'])
})

test('die kills from outside, die_of names the limit, and the time limit of the request holds', async () => {
  const { clock, executor } = setUp()
  const died = await executor.start(requestOf({ run_for: 'forever', die: '1s' }))
  const hog = await executor.start(
    requestOf({ run_for: 'forever', die: '1s', die_of: 'memory' }, { executionId: 'x2' })
  )
  const late = await executor.start(
    requestOf({ run_for: 'forever' }, { executionId: 'x3', timeLimitMs: 2_000 })
  )
  await clock.advance(2_000)
  assert.deepEqual(await executor.wait(died), {
    exitCode: 137,
    killed: true,
    error: 'killed from outside (exit code 137)'
  })
  assert.equal((await executor.wait(hog)).limit, 'memory')
  assert.equal((await executor.wait(late)).limit, 'time')
  assert.equal(clock.pendingTimers, 0)
})

test('an engine that is gone says so at the fingerprint and at the start', async () => {
  const { world, executor } = setUp()
  world.unavailable = 'engine is down'
  assert.deepEqual(await executor.fingerprint(), { available: false, reason: 'engine is down' })
  await assert.rejects(executor.start(requestOf({})), {
    code: 'EXECUTOR_UNAVAILABLE',
    message: 'engine is down'
  })
})

test('owners in one world do not see each other', async () => {
  const { clock, world, executor } = setUp()
  const handle = await executor.start(requestOf({ run_for: 'forever' }))
  const other = createMockExecutor({ clock }, { ownerId: 'p', world })
  assert.deepEqual(await other.list(), [])
  assert.equal(await other.status(handle), 'lost')
})

test('wrong knobs are named', () => {
  const { executor } = setUp()
  assert.deepEqual(executor.validate({ run_for: '10s', other: 1 }), [])
  assert.match(executor.validate({ run_for: 'soon' }).join(), /'run_for'/)
  assert.match(executor.validate({ exit_code: 300 }).join(), /'exit_code'/)
})
