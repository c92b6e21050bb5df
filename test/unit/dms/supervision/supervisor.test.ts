import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Actor, InvokeOptions, Reply } from '../../../../src/actor/index.ts'
import { BEHAVIORS, ensembleBehaviors } from '../../../../src/dms/jobs/index.ts'
import {
  type AllocationReport,
  MAX_RESTARTS,
  STATUS_POLL_MS,
  Supervisor,
  type WatchedAllocation
} from '../../../../src/dms/supervision/index.ts'
import { generateKey, peerIdOf } from '../../../../src/lib/crypto/index.ts'
import { rootHandleOfPeer } from '../../../../src/lib/did/index.ts'
import type { Handle, Result } from '../../../../src/types/index.ts'
import { ok, refusal, refuse, SeededRandom, VirtualClock } from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'

const HANDLE = rootHandleOfPeer(peerIdOf(generateKey(new SeededRandom('watched')).publicKey))
const HOUR_MS = 3_600_000

type Answers = Partial<Record<'status' | 'health' | 'register' | 'restart', (id: string) => unknown>>

/** A provider that answers as it is told; `undefined` is silence. */
class FakeProvider implements Pick<Actor, 'invoke'> {
  readonly asked: string[] = []
  answers: Answers = {}

  async invoke(
    _to: Handle,
    behavior: string,
    payload: unknown,
    options: InvokeOptions = {}
  ): Promise<Result<Reply>> {
    options.signal?.throwIfAborted()
    const kind = this.#kindOf(behavior)
    const id = typeof payload === 'string' ? payload : String(Object.values(Object(payload))[0])
    this.asked.push(`${kind} ${id}`)
    const answer = this.answers[kind]?.(id)
    if (answer === undefined) return refuse(refusal('ACTOR_NO_REPLY', 'silence'))
    return ok({ from: HANDLE, payload: answer })
  }

  count(asked: string): number {
    return this.asked.filter(one => one === asked).length
  }

  #kindOf(behavior: string): keyof Answers {
    if (behavior === ensembleBehaviors('e').status) return 'status'
    if (behavior === BEHAVIORS.healthCheckRegister) return 'register'
    return behavior === BEHAVIORS.healthCheck ? 'health' : 'restart'
  }
}

const OK = { OK: true, Error: '' }
const running = (): unknown => ({ ...OK, Status: 'running' })
const failed = (reason = 'boom'): unknown => ({ ...OK, Status: 'failed', ExitCode: 1, Reason: reason })

function setUp(allocations: (Partial<WatchedAllocation> & { key: string; status?: string })[]) {
  const [clock, log, provider] = [new VirtualClock(), new MemoryLog(), new FakeProvider()]
  const reports: [string, AllocationReport][] = []
  let takes: (key: string, report: AllocationReport) => boolean = () => true
  const supervisor = new Supervisor(
    { actor: provider, clock, log },
    {
      ensembleId: 'e',
      onReport: (key, report) => {
        const taken = takes(key, report)
        if (taken) reports.push([key, report])
        return taken
      }
    }
  )
  const start = (): void =>
    supervisor.start(
      allocations.map(({ status = 'running', ...rest }) => ({
        id: rest.key,
        type: 'service',
        handle: HANDLE,
        provider: HANDLE,
        healthCheck: undefined,
        recovery: 'stay_down',
        status,
        ...rest
      }))
    )
  const statuses = (key: string): string[] =>
    reports.filter(([of]) => of === key).map(([, { status }]) => status)
  return {
    clock,
    log,
    provider,
    reports,
    supervisor,
    start,
    statuses,
    take: (next: typeof takes) => {
      takes = next
    }
  }
}

describe('a supervisor', () => {
  it('calls an allocation unknown when its provider is silent, and running again when it is back', async () => {
    const { clock, provider, start, statuses, supervisor } = setUp([{ key: 'a' }])
    start()
    await clock.advance(3 * STATUS_POLL_MS)
    assert.deepEqual(statuses('a'), ['unknown'])
    provider.answers.status = running
    await clock.advance(STATUS_POLL_MS)
    assert.deepEqual(statuses('a'), ['unknown', 'running'])
    supervisor.stop()
  })

  it('restarts a failed service with growing pauses, and leaves it down after the last', async () => {
    const { clock, provider, start, reports, supervisor } = setUp([{ key: 'a', recovery: 'one_for_one' }])
    provider.answers = { status: () => failed(), restart: () => ({ OK: false, Error: 'no image' }) }
    start()
    await clock.advance(HOUR_MS)
    assert.equal(provider.count('restart a'), MAX_RESTARTS)
    assert.match(reports.at(-1)?.[1].reason ?? '', /no image; restarted 5 times, left down/)
    const asked = provider.asked.length
    await clock.advance(HOUR_MS)
    assert.equal(provider.asked.length, asked, 'a service that is left down is not asked for')
    supervisor.stop()
    assert.equal(clock.pendingTimers, 0)
  })

  it('counts restarts anew after a service has run for long', async () => {
    const { clock, provider, start, statuses, supervisor } = setUp([{ key: 'a', recovery: 'one_for_one' }])
    let isUp = true
    provider.answers = {
      status: () => (isUp ? running() : failed()),
      restart: () => {
        isUp = true
        return OK
      }
    }
    start()
    for (let week = 0; week < 2 * MAX_RESTARTS; week++) {
      await clock.advance(HOUR_MS)
      isUp = false
      await clock.advance(60_000)
    }
    assert.equal(provider.count('restart a'), 2 * MAX_RESTARTS)
    assert.equal(statuses('a').at(-1), 'running')
    supervisor.stop()
  })

  it('restarts each service once when several of a group fail together', async () => {
    const keys = ['a', 'b', 'c']
    const { clock, provider, start, supervisor } = setUp(keys.map(key => ({ key, recovery: 'one_for_all' })))
    const down = new Set(['a', 'b'])
    provider.answers = {
      status: id => (down.has(id) ? failed() : running()),
      restart: id => {
        down.delete(id)
        return OK
      }
    }
    start()
    await clock.advance(120_000)
    assert.deepEqual(
      keys.map(key => provider.count(`restart ${key}`)),
      [1, 1, 1]
    )
    supervisor.stop()
  })

  it('restarts what comes after the failed one, and nothing before it', async () => {
    const { clock, provider, start, supervisor } = setUp(
      ['a', 'b', 'c'].map(key => ({ key, recovery: 'rest_for_one' }))
    )
    let isDown = true
    provider.answers = {
      status: id => (id === 'b' && isDown ? failed() : running()),
      restart: () => {
        isDown = false
        return OK
      }
    }
    start()
    await clock.advance(120_000)
    assert.deepEqual(
      provider.asked.filter(asked => asked.startsWith('restart')),
      ['restart b', 'restart c']
    )
    supervisor.stop()
  })

  it('restarts a service that left by itself, without an error', async () => {
    const { clock, provider, start, supervisor } = setUp([{ key: 'a', recovery: 'one_for_one' }])
    let isDown = true
    provider.answers = {
      status: () => (isDown ? { ...OK, Status: 'completed' } : running()),
      restart: () => {
        isDown = false
        return OK
      }
    }
    start()
    await clock.advance(60_000)
    assert.equal(provider.count('restart a'), 1)
    supervisor.stop()
  })

  it('acts upon a failure that was stored before a restart of the daemon', async () => {
    const { clock, provider, start, supervisor } = setUp([
      { key: 'a', recovery: 'one_for_one', status: 'failed' }
    ])
    provider.answers = { status: () => failed(''), restart: () => OK }
    start()
    await clock.advance(5_000)
    assert.equal(provider.count('restart a'), 1)
    supervisor.stop()
  })

  it('tells again what could not be noted, whether that was refused or thrown', async () => {
    const { clock, provider, start, statuses, take, supervisor, log } = setUp([{ key: 'a', type: 'task' }])
    provider.answers.status = () => failed()
    let calls = 0
    take(() => {
      calls++
      if (calls === 1) throw new Error('disk full')
      return calls > 2
    })
    start()
    await clock.advance(5 * STATUS_POLL_MS)
    assert.equal(calls, 3)
    assert.deepEqual(statuses('a'), ['failed'])
    assert.equal(log.entries.filter(entry => entry.level === 'error').length, 1)
    supervisor.stop()
  })

  it('believes an answer that is nonsense no more than silence', async () => {
    const { clock, provider, start, statuses, supervisor } = setUp([{ key: 'a' }])
    provider.answers.status = () => ({ OK: true, Status: 'splendid', ExitCode: 'x' })
    start()
    await clock.advance(3 * STATUS_POLL_MS)
    assert.deepEqual(statuses('a'), ['unknown'])
    supervisor.stop()
  })

  it('ends by itself when every task has ended, and at once when it is stopped', async () => {
    const { clock, provider, start, supervisor } = setUp([{ key: 'a', type: 'task' }])
    provider.answers.status = () => ({ ...OK, Status: 'completed' })
    start()
    await clock.advance(2 * STATUS_POLL_MS)
    assert.equal(clock.pendingTimers, 0)
    supervisor.stop()

    const other = setUp([{ key: 'b', healthCheck: { type: 'http', endpoint: '/' } }])
    other.provider.answers = { status: running, register: () => OK, health: () => OK }
    other.start()
    await other.clock.advance(100_000)
    other.supervisor.stop()
    await other.clock.advance(0)
    assert.equal(other.clock.pendingTimers, 0)
    assert.deepEqual(other.log.entries, [])
  })

  it('does nothing when it was stopped before it began', async () => {
    const { clock, provider, start, supervisor } = setUp([{ key: 'a' }])
    supervisor.stop()
    start()
    await clock.advance(HOUR_MS)
    assert.deepEqual(provider.asked, [])
  })
})

describe('a health check', () => {
  const checked = {
    key: 'a',
    recovery: 'one_for_one' as const,
    healthCheck: { type: 'http', endpoint: '/' } as const
  }

  it('that fails three times in a row leads to a restart; one success in between does not', async () => {
    const { clock, provider, start, supervisor } = setUp([checked])
    let checks = 0
    provider.answers = {
      status: running,
      register: () => OK,
      restart: () => OK,
      health: () => (++checks % 3 === 0 && checks < 10 ? OK : { OK: false, Error: 'not ready' })
    }
    start()
    await clock.advance(9 * 30_000 + 1_000)
    assert.equal(provider.count('restart a'), 0)
    await clock.advance(3 * 30_000)
    assert.equal(provider.count('restart a'), 1)
    supervisor.stop()
  })

  it('is registered until that succeeds, since an unregistered one is always answered well', async () => {
    const { clock, provider, start, supervisor } = setUp([checked])
    let tries = 0
    provider.answers = { status: running, health: () => OK, register: () => (++tries < 3 ? undefined : OK) }
    start()
    await clock.advance(2 * 30_000 - 1)
    assert.equal(provider.count('health a'), 0)
    await clock.advance(5 * 30_000)
    assert.equal(tries, 3)
    assert.ok(provider.count('health a') >= 3)
    supervisor.stop()
  })

  for (const [interval, least, most] of [
    [1, 55, 60],
    [Number.MAX_SAFE_INTEGER, 0, 0]
  ] as const) {
    it(`with an interval of ${interval} ns is asked for within bounds`, async () => {
      const { clock, provider, start, supervisor } = setUp([
        { ...checked, healthCheck: { ...checked.healthCheck, interval } }
      ])
      provider.answers = { status: running, register: () => OK, health: () => OK }
      start()
      await clock.advance(60_000)
      const count = provider.count('health a')
      assert.ok(count >= least && count <= most, String(count))
      supervisor.stop()
    })
  }
})
