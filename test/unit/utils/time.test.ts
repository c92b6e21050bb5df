import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  deadline,
  raceSignal,
  retry,
  SeededRandom,
  systemClock,
  systemRandom,
  VIRTUAL_EPOCH_MS,
  VirtualClock
} from '../../../src/utils/index.ts'

describe('the virtual clock', () => {
  it('stands still until told, and never goes back', async () => {
    const clock = new VirtualClock()
    assert.deepEqual(
      [clock.nowMs(), clock.nowNs(), clock.monotonicMs()],
      [VIRTUAL_EPOCH_MS, BigInt(VIRTUAL_EPOCH_MS) * 1_000_000n, 0]
    )
    await clock.advance(1.5)
    assert.deepEqual([clock.nowMs(), clock.monotonicMs()], [VIRTUAL_EPOCH_MS + 1, 1.5])
  })

  it('runs timers by time, then by order of setting, each at its time', async () => {
    const clock = new VirtualClock(0)
    const seen: [string, number][] = []
    const set = (name: string, ms: number) => clock.setTimer(ms, () => void seen.push([name, clock.nowMs()]))
    set('c', 30)
    set('a', 10)
    set('d', 30)
    set('b', 20)
    set('late', 31)
    set('now', -5)
    await clock.advance(30)
    assert.deepEqual(seen, [
      ['now', 0],
      ['a', 10],
      ['b', 20],
      ['c', 30],
      ['d', 30]
    ])
    assert.equal(clock.pendingTimers, 1)
  })

  it('runs what a timer sets, and what promises do in between', async () => {
    const clock = new VirtualClock(0)
    const seen: number[] = []
    const work = (async () => {
      for (let round = 0; round < 3; round++) {
        await clock.sleep(10)
        seen.push(clock.nowMs())
      }
    })()
    await clock.advance(100)
    await work
    assert.deepEqual(seen, [10, 20, 30])
  })

  it('forgets cancelled timers, also twice and afterwards', async () => {
    const clock = new VirtualClock(0)
    let ran = 0
    const timer = clock.setTimer(10, () => ran++)
    timer.cancel()
    timer.cancel()
    assert.equal(clock.pendingTimers, 0)
    const other = clock.setTimer(10, () => ran++)
    await clock.advance(10)
    other.cancel()
    assert.equal(ran, 1)
  })

  it('keeps the order among thousands, most of them cancelled', async () => {
    const clock = new VirtualClock(0)
    const random = new SeededRandom('timers')
    const seen: number[] = []
    const expected: number[] = []
    for (let index = 0; index < 3000; index++) {
      const due = random.below(200)
      const timer = clock.setTimer(due, () => void seen.push(due))
      if (random.below(10) > 0) timer.cancel()
      else expected.push(due)
    }
    assert.equal(clock.pendingTimers, expected.length)
    await clock.advance(200)
    assert.deepEqual(
      seen,
      expected.sort((a, b) => a - b)
    )
  })

  it('ends a sleep with the reason of its signal and leaves no timer', async () => {
    const clock = new VirtualClock()
    const controller = new AbortController()
    const reason = new Error('stop')
    const sleep = assert.rejects(clock.sleep(1000, { signal: controller.signal }), reason)
    controller.abort(reason)
    await sleep
    assert.equal(clock.pendingTimers, 0)
    await assert.rejects(clock.sleep(1, { signal: AbortSignal.abort(reason) }), reason)
  })
})

describe('the system clock', () => {
  it('sleeps, wakes in order, and stops on abort', async () => {
    const seen: string[] = []
    await Promise.all([
      systemClock.sleep(20).then(() => seen.push('b')),
      systemClock.sleep(1).then(() => seen.push('a'))
    ])
    assert.deepEqual(seen, ['a', 'b'])
    const reason = new Error('stop')
    const controller = new AbortController()
    const sleep = assert.rejects(systemClock.sleep(60_000, { signal: controller.signal }), reason)
    controller.abort(reason)
    await sleep
    await assert.rejects(systemClock.sleep(60_000, { signal: AbortSignal.abort(reason) }), reason)
  })

  it('does not fire at once for a time longer than the platform can', async () => {
    let fired = false
    const timer = systemClock.setTimer(2 ** 32, () => (fired = true))
    await systemClock.sleep(10)
    timer.cancel()
    assert.equal(fired, false)
  })

  it('agrees with itself', () => {
    assert.ok(Math.abs(Number(systemClock.nowNs() / 1_000_000n) - systemClock.nowMs()) < 1000)
    const before = systemClock.monotonicMs()
    assert.ok(before <= systemClock.monotonicMs())
  })
})

describe('a deadline', () => {
  it('fires with an error that names the work', async () => {
    const clock = new VirtualClock()
    using limit = deadline(clock, 500, 'the answer')
    await clock.advance(499)
    assert.equal(limit.signal.aborted, false)
    await clock.advance(1)
    assert.throws(() => limit.signal.throwIfAborted(), {
      code: 'TIME_LIMIT',
      message: 'the answer took longer than 500 ms',
      retryable: true
    })
  })

  it('fires with its parent, also one that fired before', () => {
    const clock = new VirtualClock()
    const controller = new AbortController()
    const reason = new Error('stop')
    using limit = deadline(clock, 500, 'x', controller.signal)
    controller.abort(reason)
    assert.equal(limit.signal.reason, reason)
    using late = deadline(clock, 500, 'x', controller.signal)
    assert.equal(late.signal.reason, reason)
  })

  it('leaves no timer and no listener once disposed', () => {
    const clock = new VirtualClock()
    const controller = new AbortController()
    const limit = deadline(clock, 500, 'x', controller.signal)
    limit[Symbol.dispose]()
    controller.abort(new Error('stop'))
    assert.equal(clock.pendingTimers, 0)
    assert.equal(limit.signal.aborted, false)
  })
})

describe('racing a signal', () => {
  it('settles like the work, or with the reason', async () => {
    assert.equal(await raceSignal(Promise.resolve(1), undefined), 1)
    assert.equal(await raceSignal(Promise.resolve(1), new AbortController().signal), 1)
    const reason = new Error('stop')
    const controller = new AbortController()
    const race = assert.rejects(raceSignal(new Promise(() => undefined), controller.signal), reason)
    controller.abort(reason)
    await race
    await assert.rejects(raceSignal(Promise.reject(new Error('late')), AbortSignal.abort(reason)), reason)
  })
})

describe('retrying', () => {
  function setUp(failures: number) {
    const clock = new VirtualClock(0)
    const attempts: number[] = []
    const work = async (attempt: number): Promise<string> => {
      attempts.push(attempt)
      if (attempt <= failures) throw new Error(`failure ${attempt}`)
      return 'done'
    }
    return { deps: { clock, random: new SeededRandom(1) }, clock, attempts, work }
  }

  it('waits longer each time, within bounds, until it works', async () => {
    const { deps, clock, attempts, work } = setUp(4)
    const result = retry(deps, work, { initialDelayMs: 100, maxDelayMs: 400 })
    await clock.advance(49)
    assert.deepEqual(attempts, [1])
    await clock.advance(51)
    assert.deepEqual(attempts, [1, 2])
    await clock.advance(200 + 400 + 400)
    assert.equal(await result, 'done')
    assert.deepEqual(attempts, [1, 2, 3, 4, 5])
    assert.equal(clock.pendingTimers, 0)
  })

  it('gives the last error after the last try', async () => {
    const { deps, clock, work } = setUp(9)
    const result = assert.rejects(retry(deps, work, { attempts: 2 }), /failure 2/)
    await clock.advance(1000)
    await result
  })

  it('stops at an error that is not worth another try, and on abort', async () => {
    const { deps, clock, attempts, work } = setUp(9)
    await assert.rejects(retry(deps, work, { isRetryable: () => false }), /failure 1/)
    const controller = new AbortController()
    const result = assert.rejects(retry(deps, work, { signal: controller.signal }), /stop/)
    await clock.advance(1)
    controller.abort(new Error('stop'))
    await result
    assert.deepEqual(attempts, [1, 1])
    assert.equal(clock.pendingTimers, 0)
  })
})

describe('randomness', () => {
  it('of a seed repeats, and differs between seeds', () => {
    const [first, second, other] = [new SeededRandom('a'), new SeededRandom('a'), new SeededRandom('b')]
    assert.deepEqual(first.bytes(100), second.bytes(100))
    assert.deepEqual([first.below(1000), first.uuid()], [second.below(1000), second.uuid()])
    assert.notDeepEqual(other.bytes(100), new SeededRandom('a').bytes(100))
  })

  it('does not depend on how it is cut', () => {
    const [whole, parts] = [new SeededRandom(7), new SeededRandom(7)]
    assert.deepEqual(
      whole.bytes(70),
      Uint8Array.from([...parts.bytes(1), ...parts.bytes(40), ...parts.bytes(29)])
    )
  })

  for (const [name, random] of [
    ['seeded', new SeededRandom(1)],
    ['system', systemRandom]
  ] as const) {
    it(`of the ${name} source is within its bounds and reaches all of them`, () => {
      const seen = new Set(Array.from({ length: 500 }, () => random.below(5)))
      assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4])
      assert.equal(random.below(1), 0)
      assert.ok(random.below(2 ** 32) < 2 ** 32)
      assert.match(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(random.bytes(33).length, 33)
    })
  }

  it('refuses a bound it cannot keep', () => {
    assert.throws(() => new SeededRandom(1).below(2 ** 33), RangeError)
    assert.throws(() => new SeededRandom(1).below(2.5), RangeError)
  })
})
