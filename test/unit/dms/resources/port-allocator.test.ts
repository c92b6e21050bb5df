import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { ReservationRecord } from '../../../../src/db/index.ts'
import { isHostPortFree, PortAllocator } from '../../../../src/dms/resources/index.ts'

function allocator(reserved: number[], busy: number[] = []): PortAllocator {
  const nothing = { cpu: { cores: 0 }, ram: { size: 0 }, disk: { size: 0 } }
  const record: ReservationRecord = {
    allocationId: 'a',
    ensembleId: 'e',
    nodeId: 'n',
    owner: 'o',
    state: 'allocated',
    resources: nothing,
    ports: reserved,
    createdAtMs: 0
  }
  return new PortAllocator(
    { reservations: { list: () => [record] }, isPortFree: async port => !busy.includes(port) },
    { from: 100, to: 109 }
  )
}

test('dynamic ports are the lowest that are neither reserved, nor asked for, nor in use', async () => {
  const chosen = await allocator([100], [102]).choose({ static: [101, 105], dynamic: 3 })
  assert.deepEqual(chosen, { ok: true, value: { static: [101, 105], dynamic: [103, 104, 106] } })
})

test('each port that cannot be had is named with its reason', async () => {
  const chosen = await allocator([100], [102]).choose({ static: [99, 100, 102, 103, 103], dynamic: 8 })
  assert.ok(!chosen.ok)
  assert.deepEqual(
    chosen.error.causes?.map(cause => [cause.code, cause.details?.['port'] ?? cause.details?.['free']]),
    [
      ['RESOURCES_PORT_RANGE', 99],
      ['RESOURCES_PORT_RESERVED', 100],
      ['RESOURCES_PORT_IN_USE', 102],
      ['RESOURCES_PORT_RESERVED', 103],
      ['RESOURCES_PORTS_LACKING', 7]
    ]
  )
})

test('a probe of the host sees a listener come and go', async () => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  assert.equal(await isHostPortFree(address.port), false)
  await new Promise(resolve => server.close(resolve))
  assert.equal(await isHostPortFree(address.port), true)
})
