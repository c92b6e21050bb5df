import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FRESH_MS, REMEMBER_MS, STALE_MS } from '../../../../src/dms/revocation/constants.ts'
import { Knowledge } from '../../../../src/dms/revocation/knowledge.ts'
import type { PeerId } from '../../../../src/types/index.ts'
import { VirtualClock } from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'

const PEER = 'peer' as PeerId // branded ids come from parsers only

function setUp(stored?: number, save?: (ms: number) => void) {
  const [clock, log] = [new VirtualClock(), new MemoryLog()]
  const memory = { currentAtMs: stored }
  const records = {
    currentAtMs: () => memory.currentAtMs,
    saveCurrentAtMs: (ms: number) => {
      save?.(ms)
      memory.currentAtMs = ms
    }
  }
  const knowledge = new Knowledge({ records, clock, log })
  knowledge.start()
  return { knowledge, clock, log, memory }
}

describe('knowledge of revocations', () => {
  it('is current from an answer until the peer is gone, and then known as of that moment', async () => {
    const { knowledge, clock } = setUp()
    assert.deepEqual([knowledge.isCurrent, knowledge.knownAsOfMs], [false, undefined])
    knowledge.answered(PEER)
    await clock.advance(5000)
    assert.deepEqual([knowledge.isCurrent, knowledge.knownAsOfMs], [true, clock.nowMs()])
    knowledge.lost(PEER)
    const leftAtMs = clock.nowMs()
    await clock.advance(5000)
    assert.deepEqual([knowledge.isCurrent, knowledge.knownAsOfMs], [false, leftAtMs])
    knowledge.stop()
  })

  it('does not stay current by a peer that has not answered for long, connected or not', async () => {
    const { knowledge, clock } = setUp()
    knowledge.answered(PEER)
    const answeredAtMs = clock.nowMs()
    await clock.advance(FRESH_MS + 1)
    assert.equal(knowledge.isCurrent, false)
    assert.ok((knowledge.knownAsOfMs ?? 0) <= answeredAtMs + FRESH_MS)
    knowledge.stop()
  })

  it('is not made current by losing one that never answered', () => {
    const { knowledge, memory } = setUp()
    knowledge.lost(PEER)
    assert.equal(memory.currentAtMs, undefined)
    knowledge.stop()
  })

  it('is stored often enough that a crash makes it older by a minute at most', async () => {
    const { knowledge, clock, memory } = setUp()
    knowledge.answered(PEER)
    await clock.advance(10 * REMEMBER_MS + 30_000)
    assert.ok(clock.nowMs() - (memory.currentAtMs ?? 0) <= REMEMBER_MS)
    knowledge.stop()
    assert.equal(memory.currentAtMs, clock.nowMs())
    assert.equal(clock.pendingTimers, 0)
  })

  it('is as old as it was stored, until a peer answers', () => {
    const { knowledge } = setUp(1234)
    assert.deepEqual([knowledge.isCurrent, knowledge.knownAsOfMs], [false, 1234])
    knowledge.stop()
  })

  it('that cannot be stored is told, and counts all the same', () => {
    const { knowledge, log } = setUp(undefined, () => {
      throw new Error('disk full')
    })
    knowledge.answered(PEER)
    assert.equal(knowledge.isCurrent, true)
    assert.ok(log.entries.some(({ level }) => level === 'warn'))
    knowledge.stop()
  })

  it('is warned about once when it is old, and again after it was current in between', async () => {
    const { knowledge, clock, log } = setUp()
    const warnings = (): number => log.entries.filter(({ level }) => level === 'warn').length
    await clock.advance(STALE_MS + REMEMBER_MS)
    assert.equal(warnings(), 0, 'a node that never met another has nothing to grow old')
    for (const expected of [1, 2]) {
      knowledge.answered(PEER)
      knowledge.lost(PEER)
      await clock.advance(STALE_MS + REMEMBER_MS)
      await clock.advance(STALE_MS)
      assert.equal(warnings(), expected)
    }
    knowledge.stop()
  })
})
