import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { trimHeapWhenIdle } from '../../../src/daemon/index.ts'
import { VirtualClock } from '../../../src/utils/index.ts'

function setUp() {
  const clock = new VirtualClock()
  const heap = { heapTotal: 40, heapUsed: 30 }
  let collections = 0
  const collect = (): void => {
    collections++
    heap.heapTotal = 24
    heap.heapUsed = 20
  }
  const trimmer = trimHeapWhenIdle(clock, { memory: () => heap, collect })
  return { clock, heap, trimmer, collections: () => collections }
}

describe('the heap of an idle daemon', () => {
  it('is trimmed once after the start, and not again while it stays small', async () => {
    const { clock, collections } = setUp()
    await clock.advance(600_000)
    assert.equal(collections(), 1)
  })

  it('is trimmed again when it has grown well over what is alive, at most once a minute', async () => {
    const { clock, heap, collections } = setUp()
    await clock.advance(10_000)
    heap.heapTotal = 50
    await clock.advance(30_000)
    assert.equal(collections(), 1)
    await clock.advance(40_000)
    assert.equal(collections(), 2)
  })

  it('is left alone when the daemon stops', async () => {
    const { clock, trimmer, collections } = setUp()
    trimmer[Symbol.dispose]()
    await clock.advance(600_000)
    assert.equal(collections(), 0)
    assert.equal(clock.pendingTimers, 0)
  })

  it('really gives memory back', async () => {
    const clock = new VirtualClock()
    using _ = trimHeapWhenIdle(clock)
    let garbage: unknown[] = Array.from({ length: 300_000 }, (_, index) => ({ index }))
    const before = process.memoryUsage().heapUsed
    garbage = []
    await clock.advance(10_000)
    assert.equal(garbage.length, 0)
    assert.ok(process.memoryUsage().heapUsed < before - 5 * 2 ** 20)
  })
})
