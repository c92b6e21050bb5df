import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base64ToBytes, bytesToUtf8 } from '../../../../src/utils/index.ts'
import { ENSEMBLE, ORCHESTRATOR, START, STRANGER, startedWorld, WEB } from './world.ts'

const START_PATH = '/dms/allocation/start'
const RESTART_PATH = '/dms/allocation/restart'

test('a task runs, ends, is reported with its output, and everything is given back', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: '10s', stdout: 'hello', stderr: 'warning' })
  assert.equal(world.status(), 'pending')
  assert.deepEqual(await world.call(START_PATH, START), { OK: true, Error: '' })
  assert.equal(world.status(), 'running')
  assert.equal(world.resources.free().cpu.cores, 3)

  await world.clock.advance(10_000)
  assert.equal(world.status(), 'completed')
  const [end] = world.terminations()
  assert.equal(end?.allocation_id, WEB)
  assert.equal(end?.status, 'completed')
  assert.equal(bytesToUtf8(base64ToBytes(end?.stdout ?? '')), 'hello')
  assert.equal(bytesToUtf8(base64ToBytes(end?.stderr ?? '')), 'warning')
  assert.equal(end?.logs_truncated, false)
  assert.equal(world.terminations().length, 1)
  assert.deepEqual(new Set(world.events()), new Set(['starting', 'running', 'completed']))
  assert.equal(world.events().at(-1), 'completed')
  world.assertNothingHeld()
})

test('a failed task is reported with its exit code and its output', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: '1s', exit_code: 3, stderr: 'no such file' })
  await world.call(START_PATH, START)
  await world.clock.advance(1_000)
  const [end] = world.terminations()
  assert.equal(end?.status, 'failed')
  assert.equal(end?.error.exit_code, 3)
  assert.equal(bytesToUtf8(base64ToBytes(end?.stderr ?? '')), 'no such file')
  assert.equal(world.provider.status(ENSEMBLE, WEB, ORCHESTRATOR).ExitCode, 3)
})

test('the end of a task is reported until the orchestrator is there', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: '1s' })
  await world.call(START_PATH, START)
  world.isOrchestratorGone = true
  await world.clock.advance(2 * 60 * 60_000)
  assert.equal(world.terminations().length, 0)
  assert.equal(world.db.allocations.get(WEB)?.terminationReported, false)
  world.isOrchestratorGone = false
  await world.clock.advance(5 * 60_000)
  assert.equal(world.terminations().length, 1)
  assert.equal(world.db.allocations.get(WEB)?.terminationReported, true)
})

test('the report is given up after a day, and the record goes', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: '1s' })
  await world.call(START_PATH, START)
  world.isOrchestratorGone = true
  await world.clock.advance(24 * 60 * 60_000 + 45 * 60_000)
  assert.equal(world.db.allocations.get(WEB), undefined)
  assert.equal(
    world.sent.some(message => message.behavior.endsWith('task-termination')),
    false
  )
})

test('logs and record are kept for 30 minutes after the end, then forgotten with the behaviours', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: '1s', stdout: 'hello' })
  await world.call(START_PATH, START)
  await world.clock.advance(29 * 60_000)
  assert.equal((await world.files.list(`/work/jobs/${WEB}`)).length, 2)
  assert.equal(world.nodeBehaviors.has('/dms/ensemble/e1/allocation/logs'), true)
  await world.clock.advance(3 * 60_000)
  assert.deepEqual(await world.files.list(`/work/jobs/${WEB}`), [])
  assert.equal(world.db.allocations.get(WEB), undefined)
  assert.equal(world.nodeBehaviors.has('/dms/ensemble/e1/allocation/logs'), false)
  assert.equal(world.actors.get(WEB)?.isStopped, true)
})

test('starting what runs is accepted and does nothing', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call(START_PATH, START)
  assert.deepEqual(await world.call(START_PATH, START), { OK: true, Error: '' })
  assert.equal(world.mock.executions.size, 1)
})

test('two starts at the same time make one execution', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever', block_start: '5s' }, 'service')
  const both = Promise.all([world.call(START_PATH, START), world.call(START_PATH, START)])
  await world.clock.advance(5_000)
  assert.deepEqual(
    (await both).map(reply => reply['OK']),
    [true, true]
  )
  assert.equal(world.mock.executions.size, 1)
})

test('a service whose start fails says why and keeps its place for another try', async () => {
  await using world = await startedWorld()
  await world.place({ fail_start: 'no such image', fail_code: 'EXECUTOR_IMAGE' }, 'service')
  const reply = await world.call(START_PATH, START)
  assert.equal(reply['OK'], false)
  assert.match(String(reply['Error']), /no such image/)
  assert.equal(world.status(), 'failed')
  assert.equal(world.mock.executions.size, 0)
  assert.equal(world.db.reservations.list().length, 1)
})

test('a task whose start fails says why in the answer, is not reported again, and gives its place back', async () => {
  await using world = await startedWorld()
  await world.place({ fail_start: 'no such image' })
  assert.match(String((await world.call(START_PATH, START))['Error']), /no such image/)
  await world.clock.advance(2 * 60_000)
  assert.equal(world.terminations().length, 0)
  world.assertNothingHeld()
})

test('a start publishes only ports that were committed', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  const reply = await world.call(START_PATH, { PortMapping: { '16401': 80 } })
  assert.equal(reply['OK'], false)
  assert.match(String(reply['Error']), /16401/)
  assert.equal(world.mock.executions.size, 0)
})

test('a start without ports uses those of the commit', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call(START_PATH, {})
  const [execution] = world.mock.executions.values()
  assert.deepEqual(execution?.request.ports, [{ hostIp: '0.0.0.0', hostPort: 16_400, workloadPort: 80 }])
})

test('a service that ends by itself is told by an event, keeps its place and can be restarted on the same ports', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever', die: '5s' }, 'service')
  await world.call(START_PATH, START)
  const [first] = world.mock.executions.keys()
  await world.clock.advance(5_000)
  assert.equal(world.status(), 'failed')
  assert.equal(world.events().at(-1), 'failed')
  assert.equal(world.terminations().length, 0)
  assert.equal(world.mock.executions.size, 0)
  assert.equal(world.db.reservations.list().length, 1)

  assert.deepEqual(await world.call(RESTART_PATH, WEB), { OK: true, Error: '' })
  const [second] = world.mock.executions.values()
  assert.notEqual(second?.request.executionId, first)
  assert.deepEqual(second?.request.ports, [{ hostIp: '0.0.0.0', hostPort: 16_400, workloadPort: 80 }])
  assert.equal(world.status(), 'running')
})

test('a restart ends the running execution and the end of the old one changes nothing', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call(START_PATH, START)
  const [first] = world.mock.executions.keys()
  await world.call(RESTART_PATH, WEB)
  await world.clock.advance(1_000)
  assert.deepEqual([...world.mock.executions.keys()].includes(first ?? ''), false)
  assert.equal(world.mock.executions.size, 1)
  assert.equal(world.status(), 'running')
})

test('shutdown ends the workload, gives everything back, and may be repeated', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call(START_PATH, START)
  const path = '/dms/ensemble/e1/allocation/shutdown'
  assert.deepEqual(await world.callNode(path, { AllocationID: WEB }), { OK: true, Error: '' })
  assert.deepEqual(await world.callNode(path, { AllocationID: WEB }), { OK: true, Error: '' })
  assert.deepEqual(await world.callNode(path, { AllocationID: 'e1_front.other' }), { OK: true, Error: '' })
  assert.equal(world.status(), 'terminated')
  world.assertNothingHeld()
})

test('shutdown during a start gives the start up', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever', block_start: true }, 'service')
  const start = world.call(START_PATH, START)
  await world.clock.advance(1_000)
  assert.equal(world.status(), 'starting')
  assert.equal((await world.provider.shutdown(ENSEMBLE, WEB, ORCHESTRATOR)).OK, true)
  assert.equal((await start)['OK'], false)
  assert.equal(world.status(), 'terminated')
  world.assertNothingHeld()
})

test('a workload that does not listen is killed within the grace', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever', ignore_stop: true }, 'service')
  await world.call(START_PATH, START)
  const shutdown = world.provider.shutdown(ENSEMBLE, WEB, ORCHESTRATOR)
  await world.clock.advance(3_000)
  assert.equal((await shutdown).OK, true)
  world.assertNothingHeld()
})

test('a completed task keeps its end through a shutdown', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: '1s' })
  await world.call(START_PATH, START)
  await world.clock.advance(1_000)
  await world.provider.shutdown(ENSEMBLE, WEB, ORCHESTRATOR)
  assert.equal(world.status(), 'completed')
})

test('another orchestrator can neither shut down, nor read logs, nor see the status', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever', stdout: 'secret' }, 'service')
  await world.call(START_PATH, START)
  assert.equal((await world.provider.shutdown(ENSEMBLE, WEB, STRANGER)).OK, false)
  assert.equal(world.provider.status(ENSEMBLE, WEB, STRANGER).Status, 'unknown')
  const logs = await world.callNode('/dms/ensemble/e1/allocation/logs', { AllocName: WEB }, STRANGER)
  assert.equal(logs['Stdout'], undefined)
  assert.match(String(logs['Error']), /another orchestrator/)
  assert.equal(
    (await world.provider.revert({ ensembleId: ENSEMBLE, allocationIds: [WEB] }, STRANGER)).OK,
    false
  )
  assert.equal(world.status(), 'running')
})

test('grants name the orchestrator, the node and the allocation, and end with it', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call(START_PATH, START)
  const [ensemble, allocation] = world.granted
  assert.deepEqual(ensemble?.capabilities, ['/dms/ensemble/e1'])
  assert.equal(ensemble?.audience.address.inbox, 'node')
  assert.equal(ensemble?.subject.did, ORCHESTRATOR.did)
  assert.deepEqual(allocation?.capabilities, ['/dms/allocation', '/dms/actor/healthcheck'])
  assert.deepEqual(allocation?.audience, world.actors.get(WEB)?.handle)
  await world.clock.advance(40 * 60_000)
  assert.equal(world.granted.length, 2)
  assert.deepEqual(world.revoked, [])
  await world.provider.shutdown(ENSEMBLE, WEB, ORCHESTRATOR)
  await world.clock.advance(60 * 60_000)
  assert.deepEqual(world.revoked, world.granted)
})

test('an allocation nobody starts is given back after a day', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.clock.advance(24 * 60 * 60_000 + 2 * 60_000)
  world.assertNothingHeld()
})

test('stop leaves workloads running; stopAll ends them', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call(START_PATH, START)
  await world.provider.stop()
  assert.equal(world.mock.executions.size, 1)
  await world.reboot()
  assert.equal(world.status(), 'running')
  await world.provider.stopAll()
  world.assertNothingHeld()
})

test('the list has ports, times and the execution', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call(START_PATH, START)
  const { allocations, error } = world.provider.list()
  assert.equal(error, '')
  const [entry] = allocations
  assert.equal(entry?.id, WEB)
  assert.equal(entry?.type, 'service')
  assert.equal(entry?.status, 'running')
  assert.equal(entry?.orchestrator, 'peer-orchestrator')
  assert.equal(entry?.execution_id, [...world.mock.executions.keys()][0])
  assert.deepEqual(entry?.using_ports, { '16400': 80 })
  assert.match(entry?.started_at ?? '', /^2026-01-01T00:00:00/)
})
