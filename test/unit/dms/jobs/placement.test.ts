/** Bids, commits, allocates and reverts: what is refused, and that a refusal says what is lacking. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Result } from '../../../../src/types/index.ts'
import { renderRefusal } from '../../../../src/utils/index.ts'
import {
  allocateRequest,
  amount,
  bidEntry,
  bidRequest,
  commitRequest,
  ENSEMBLE,
  ORCHESTRATOR,
  START,
  STRANGER,
  startedWorld,
  WEB
} from './world.ts'

function codes(result: Result<unknown>): string[] {
  assert.ok(!result.ok)
  const inner = (result.error.causes ?? []).flatMap(node => node.causes ?? [])
  return [result.error.code, ...inner.map(cause => cause.code)]
}

test('a machine with exactly what is asked bids', async () => {
  await using world = await startedWorld({ onboarded: amount(1) })
  const bid = await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  assert.equal(bid.ok && bid.value.entry.node_id, 'front')
})

test('a refusal names for each node each thing that is lacking', async () => {
  await using world = await startedWorld({ onboarded: amount(2, 4) })
  world.busyPorts.add(16_400)
  const entries = [
    bidEntry({ resources: { cpu: { cores: 3 }, ram: { size: 8 * 2 ** 30 }, disk: { size: 1 } } }),
    bidEntry({ node_id: 'back', executors: ['docker'], public_ports: { static: [80, 16_400] } })
  ]
  const bid = await world.provider.decideBid(bidRequest({ entries }), ORCHESTRATOR)
  assert.ok(!bid.ok)
  const text = renderRefusal(bid.error)
  assert.match(text, /asked 3 cores, 2 free \(RESOURCES_CPU_LACKING\)/)
  assert.match(text, /asked 8 GiB of RAM, 4 GiB free \(RESOURCES_RAM_LACKING\)/)
  assert.match(text, /executor 'docker' is not on this provider/)
  assert.match(text, /port 80 is outside the range/)
  assert.match(text, /port 16400 is in use/)
  assert.deepEqual(bid.error.causes?.map(cause => cause.details?.['node']).sort(), ['back', 'front'])
})

test('an entry that fits is chosen among those that do not', async () => {
  await using world = await startedWorld()
  const entries = [
    bidEntry({ node_id: 'a', executors: ['docker'] }),
    bidEntry({ node_id: 'b' }),
    bidEntry({ node_id: 'c', resources: amount(99) })
  ]
  const bid = await world.provider.decideBid(bidRequest({ entries }), ORCHESTRATOR)
  assert.equal(bid.ok && bid.value.entry.node_id, 'b')
})

test('an orchestrator that asks for reasons hears of every node the provider could take, and why not of the others', async () => {
  await using world = await startedWorld()
  const entries = [
    bidEntry({ node_id: 'a' }),
    bidEntry({ node_id: 'b' }),
    bidEntry({ node_id: 'c', resources: amount(99) })
  ]
  const bid = await world.provider.decideBid({ ...bidRequest({ entries }), explain: true }, ORCHESTRATOR)
  assert.ok(bid.ok)
  const { entry, alternatives, declined } = bid.value
  assert.deepEqual([entry, ...alternatives].map(offered => offered.node_id).sort(), ['a', 'b'])
  assert.deepEqual(
    declined?.causes?.map(cause => cause.details?.['node']),
    ['c']
  )
  for (const { node_id } of [entry, ...alternatives]) {
    const committed = await world.provider.commit(
      commitRequest({ NodeID: node_id, AllocationName: `${ENSEMBLE}_${node_id}.web`, PortMapping: {} }),
      ORCHESTRATOR
    )
    assert.equal(committed.Error, '')
  }
  const other = await world.provider.commit(commitRequest({ NodeID: 'c' }), ORCHESTRATOR)
  assert.match(other.Error, /the bid was for node '[ab]' or '[ab]'/)
})

test('an older orchestrator gets one bid', async () => {
  await using world = await startedWorld()
  const entries = [bidEntry({ node_id: 'a' }), bidEntry({ node_id: 'b' })]
  const bid = await world.provider.decideBid({ ...bidRequest({ entries }), explain: false }, ORCHESTRATOR)
  assert.ok(bid.ok)
  assert.deepEqual(bid.value.alternatives, [])
})

const REFUSED: [string, Record<string, unknown>, string][] = [
  ['privileged docker', { general_requirements: { privileged_docker: true } }, 'BID_PRIVILEGED'],
  ['another continent', { location: { accept: [{ continent: 'Asia' }], reject: [] } }, 'BID_LOCATION'],
  [
    'a rejected country',
    { location: { accept: [], reject: [{ continent: 'Europe', country: 'DE' }] } },
    'BID_LOCATION'
  ],
  ['more ports than there are', { public_ports: { static: [], dynamic: 200 } }, 'RESOURCES_PORTS_LACKING'],
  [
    'another architecture',
    { resources: { ...amount(1), cpu: { cores: 1, architecture: 'riscv64' } } },
    'BID_ARCHITECTURE'
  ],
  ['a GPU', { resources: { ...amount(1), gpus: [{ index: 0, vram: 1 }] } }, 'RESOURCES_GPU_LACKING']
]
for (const [what, overrides, code] of REFUSED) {
  test(`no bid is made for ${what}`, async () => {
    await using world = await startedWorld()
    const bid = await world.provider.decideBid(bidRequest({ entries: [bidEntry(overrides)] }), ORCHESTRATOR)
    assert.ok(codes(bid).includes(code), JSON.stringify(bid))
  })
}

test('no bid is made by a machine that is not onboarded, excluded, still starting, or without its executor', async () => {
  await using bare = await startedWorld({ onboarded: undefined })
  assert.deepEqual(codes(await bare.provider.decideBid(bidRequest(), ORCHESTRATOR)), ['BID_NOT_ONBOARDED'])
  await using world = await startedWorld()
  assert.deepEqual(
    codes(await world.provider.decideBid(bidRequest({ exclude: ['peer-self'] }), ORCHESTRATOR)),
    ['BID_EXCLUDED']
  )
  world.mock.unavailable = 'the daemon is gone'
  const bid = await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  assert.deepEqual(codes(bid), ['BID_NONE', 'BID_EXECUTOR_UNAVAILABLE'])
  assert.match(bid.ok ? '' : (bid.error.causes?.[0]?.message ?? ''), /the daemon is gone/)
  await world.provider.stop()
  assert.deepEqual(codes(await world.provider.decideBid(bidRequest(), ORCHESTRATOR)), ['PROVIDER_NOT_READY'])
})

test('a request is answered once, unless it is reverted or five minutes pass; another orchestrator is not affected', async () => {
  await using world = await startedWorld()
  const bid = () => world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  assert.equal((await bid()).ok, true)
  assert.deepEqual(codes(await bid()), ['BID_ANSWERED'])
  assert.equal((await world.provider.decideBid(bidRequest({ nonce: 2 }), ORCHESTRATOR)).ok, true)
  assert.equal((await world.provider.decideBid(bidRequest(), STRANGER)).ok, true)
  await world.provider.revert({ ensembleId: ENSEMBLE, allocationIds: [] }, ORCHESTRATOR)
  assert.equal((await bid()).ok, true)
  await world.clock.advance(5 * 60_000)
  assert.equal((await bid()).ok, true)
})

test('a commit needs a bid of this provider to the same orchestrator for the same node', async () => {
  await using world = await startedWorld()
  assert.match((await world.provider.commit(commitRequest(), ORCHESTRATOR)).Error, /no bid/)
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  assert.match((await world.provider.commit(commitRequest(), STRANGER)).Error, /no bid/)
  assert.match(
    (await world.provider.commit(commitRequest({ NodeID: 'back' }), ORCHESTRATOR)).Error,
    /for node 'front'/
  )
  assert.equal((await world.provider.commit(commitRequest(), ORCHESTRATOR)).OK, true)
})

test('a commit reserves hardware and ports and tells the ports of its choice', async () => {
  await using world = await startedWorld()
  world.busyPorts.add(16_384)
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  const reply = await world.provider.commit(
    commitRequest({ PortMapping: { '16400': 80, '0': 443 }, DynamicPorts: [8080] }),
    ORCHESTRATOR
  )
  assert.deepEqual(reply, { OK: true, Error: '', PortMapping: { '16400': 80, '16385': 8080, '16386': 443 } })
  assert.equal(world.resources.free().cpu.cores, 3)
})

test('a second commit of the same, and one for a taken port, are refused and take nothing', async () => {
  await using world = await startedWorld()
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  await world.provider.commit(commitRequest(), ORCHESTRATOR)
  assert.match(
    (await world.provider.commit(commitRequest({ PortMapping: {} }), ORCHESTRATOR)).Error,
    /already committed/
  )
  assert.match(
    (await world.provider.commit(commitRequest({ AllocationName: 'e1_front.b' }), ORCHESTRATOR)).Error,
    /16400 is already reserved/
  )
  assert.equal(world.resources.free().cpu.cores, 3)
})

test('two commits at the same moment never share a port or the last core', async () => {
  await using world = await startedWorld({ onboarded: amount(1) })
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  const replies = await Promise.all(
    ['a', 'b'].map(name =>
      world.provider.commit(
        commitRequest({ AllocationName: `e1_front.${name}`, PortMapping: {}, DynamicPorts: [80] }),
        ORCHESTRATOR
      )
    )
  )
  assert.deepEqual(replies.map(reply => reply.OK).sort(), [false, true])
})

test('ids that could leave the work directory are refused', async () => {
  await using world = await startedWorld()
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  for (const AllocationName of ['../../etc', 'e1_../x', 'a/b', 'e1_a..b', `e1_${'x'.repeat(300)}`]) {
    const reply = await world.provider.commit(commitRequest({ AllocationName }), ORCHESTRATOR)
    assert.match(reply.Error, /not an allocation id/)
  }
  await world.provider.decideBid(bidRequest({ id: '../e' }), ORCHESTRATOR)
  assert.match(
    (await world.provider.commit(commitRequest({ EnsembleID: '../e' }), ORCHESTRATOR)).Error,
    /not an ensemble id/
  )
})

test('a commit ends after five minutes and then cannot be allocated', async () => {
  await using world = await startedWorld()
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  await world.provider.commit(commitRequest(), ORCHESTRATOR)
  await world.clock.advance(5 * 60_000)
  assert.match(
    (await world.provider.allocate(allocateRequest({}), ORCHESTRATOR)).Error,
    /not committed, or its commit expired/
  )
  world.assertNothingHeld()
})

const BAD_ALLOCATIONS: [string, Record<string, unknown>, RegExp][] = [
  [
    'parameters the executor does not take',
    { Execution: { type: 'mock', params: { run_for: 5 } } },
    /run_for/
  ],
  [
    'an executor that is not here',
    { Executor: 'docker', Execution: { type: 'docker', params: {} } },
    /executor 'docker' is not on this provider/
  ],
  ['an executor that differs from its execution', { Executor: 'docker' }, /differs/],
  ['more than was committed', { Resources: amount(2) }, /asked 2 cores, 1 free/],
  ['privileges', { Execution: { type: 'mock', params: { privileged: true } } }, /privileged/],
  ['volumes', { Volume: [{ type: 'local', src: '/etc' }] }, /volumes are not available/],
  ['scripts that are not base64', { ProvisionScripts: { a: '***' } }, /base64/]
]
for (const [what, overrides, message] of BAD_ALLOCATIONS) {
  test(`an allocation with ${what} is refused and its commit stays`, async () => {
    await using world = await startedWorld()
    await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
    await world.provider.commit(commitRequest(), ORCHESTRATOR)
    const reply = await world.provider.allocate(allocateRequest({}, 'task', overrides), ORCHESTRATOR)
    assert.equal(reply.OK, false)
    assert.match(reply.Error, message)
    assert.deepEqual(reply.Allocations, {})
    assert.equal(world.actors.size, 0)
    assert.equal(world.db.reservations.get(WEB)?.state, 'committed')
  })
}

test('only the orchestrator that committed may allocate, once', async () => {
  await using world = await startedWorld()
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  await world.provider.commit(commitRequest(), ORCHESTRATOR)
  assert.match((await world.provider.allocate(allocateRequest({}), STRANGER)).Error, /another orchestrator/)
  const reply = await world.provider.allocate(allocateRequest({}), ORCHESTRATOR)
  assert.equal(reply.OK, true)
  assert.deepEqual(Object.keys(reply.Allocations), [WEB])
  assert.match((await world.provider.allocate(allocateRequest({}), ORCHESTRATOR)).Error, /already allocated/)
})

test('names of the older form get the full id and are answered under the name that was sent', async () => {
  await using world = await startedWorld()
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  await world.provider.commit(commitRequest({ AllocationName: 'web' }), ORCHESTRATOR)
  const request = allocateRequest({})
  const [wish] = Object.values(request.Allocations)
  assert.ok(wish)
  const reply = await world.provider.allocate({ ...request, Allocations: { web: wish } }, ORCHESTRATOR)
  assert.deepEqual(Object.keys(reply.Allocations), ['web'])
  assert.equal(world.provider.list().allocations[0]?.id, 'e1_web')
})

test('when one allocation of a message is wrong, none is made', async () => {
  await using world = await startedWorld()
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  await world.provider.commit(commitRequest(), ORCHESTRATOR)
  const request = allocateRequest({})
  const [wish] = Object.values(request.Allocations)
  assert.ok(wish)
  const reply = await world.provider.allocate(
    { ...request, Allocations: { ...request.Allocations, 'e1_front.b': wish } },
    ORCHESTRATOR
  )
  assert.equal(reply.OK, false)
  assert.deepEqual(world.db.allocations.list(), [])
})

test('an allocation whose grant fails is undone', async () => {
  await using world = await startedWorld({
    wrap: deps => ({
      ...deps,
      grant: () => {
        throw new Error('disk full')
      }
    })
  })
  await world.provider.decideBid(bidRequest(), ORCHESTRATOR)
  await world.provider.commit(commitRequest(), ORCHESTRATOR)
  assert.match((await world.provider.allocate(allocateRequest({}), ORCHESTRATOR)).Error, /disk full/)
  assert.deepEqual(world.db.allocations.list(), [])
  assert.equal(world.actors.get(WEB)?.isStopped, true)
  assert.equal(world.nodeBehaviors.size, 0)
  world.assertNothingHeld()
})

test('revert gives back commits and allocations, running ones too, and what is unknown is no error', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call('/dms/allocation/start', START)
  await world.provider.commit(commitRequest({ AllocationName: 'e1_front.b', PortMapping: {} }), ORCHESTRATOR)
  const allocationIds = [WEB, 'e1_front.b', 'e1_front.unknown']
  assert.deepEqual(await world.provider.revert({ ensembleId: ENSEMBLE, allocationIds }, ORCHESTRATOR), {
    OK: true,
    Error: ''
  })
  world.assertNothingHeld()
})

test('revert without ids gives back all of the ensemble', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.provider.revert({ ensembleId: ENSEMBLE, allocationIds: [] }, ORCHESTRATOR)
  world.assertNothingHeld()
})
