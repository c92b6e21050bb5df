import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type CapabilityHealth, ExpiryWatch, endOf } from '../../../../src/dms/expiry/index.ts'
import type { GrantState } from '../../../../src/dms/grants/index.ts'
import type { Token } from '../../../../src/lib/ucan/index.ts'
import { MemoryFiles, VirtualClock } from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'
import { identity, token } from '../../lib/parties.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const owner = identity('node')
const organisation = identity('organisation')

/** A node that can be stopped, killed and started again; its disk and its log go on. */
class Bench {
  readonly clock: VirtualClock = new VirtualClock()
  readonly log: MemoryLog = new MemoryLog()
  readonly files: MemoryFiles = new MemoryFiles()
  readonly anchors: { roots: []; provide: Token[]; require: Token[] } = {
    roots: [],
    provide: [],
    require: []
  }
  readonly grants: GrantState[] = []
  /** Rarely: most of these tests take months. */
  lookMs: number = DAY
  watch: ExpiryWatch | undefined

  async start(): Promise<void> {
    const { clock, log, files } = this
    this.watch = new ExpiryWatch(
      { anchors: () => this.anchors, grants: () => this.grants, clock, files, log },
      { owner: owner.did, context: 'dms', path: '/work/expiry.json', lookMs: this.lookMs }
    )
    await this.watch.start()
  }

  async stop(): Promise<void> {
    await this.watch?.stop()
    this.watch = undefined
  }

  health(): CapabilityHealth {
    assert.ok(this.watch)
    return this.watch.health()
  }

  /** Announcements since the last call, as `level left`, or `level ended`. */
  told(): string[] {
    return this.log.entries
      .splice(0)
      .filter(({ level }) => level !== 'info')
      .map(({ level, message, fields }) => `${level} ${fields['left'] ?? message.split(' ').at(-1)}`)
  }
}

function fromOrganisation(bench: Bench, lifeMs: number, capabilities: string[] = ['/a']): Token {
  const expiresAtNs = bench.clock.nowNs() + BigInt(lifeMs) * 1_000_000n
  return token(organisation, { subject: owner.did, capabilities, expiresAtNs })
}

describe('the end of a capability', () => {
  it('is announced a month, a week, three days, a day and an hour before and when it comes, each once', async () => {
    const bench = new Bench()
    bench.anchors.provide.push(fromOrganisation(bench, 365 * DAY))
    await bench.start()
    const days: string[][] = []
    for (let hours = 365 * 24; hours >= 0; hours--) {
      const told = bench.told()
      if (told.length > 0) days.push([`${hours} h left`, ...told])
      await bench.clock.advance(HOUR)
    }
    days.push(bench.told())
    assert.deepEqual(days, [
      ['720 h left', 'warn 30 d 0 h'],
      ['168 h left', 'warn 7 d 0 h'],
      ['72 h left', 'warn 3 d 0 h'],
      ['24 h left', 'error 24 h 0 m'],
      ['1 h left', 'error 1 h 0 m'],
      ['error ended']
    ])
    await bench.stop()
    assert.equal(bench.clock.pendingTimers, 0)
  })

  it('of one made for a day is announced in proportion, and says what stops and who renews it', async () => {
    const bench = new Bench()
    bench.anchors.require.push(
      token(owner, { subject: organisation.did, expiresAtNs: bench.clock.nowNs() + BigInt(DAY) * 1_000_000n })
    )
    await bench.start()
    assert.equal(bench.health().status, 'healthy')
    await bench.clock.advance(19 * HOUR)
    assert.equal(bench.health().status, 'healthy')
    await bench.clock.advance(HOUR)
    const { status, untilMs, issues } = bench.health()
    assert.equal(status, 'expiring')
    assert.equal(untilMs, bench.clock.nowMs() + 4 * HOUR)
    assert.equal(issues[0]?.effect, `${organisation.did} may no longer use '/a' here`)
    assert.match(
      issues[0]?.renewal[0]?.command ?? '',
      /^nunet cap grant -c dms --cap \/a --expiry <date> did:key:/
    )
    await bench.clock.advance(5 * HOUR)
    assert.deepEqual(bench.told(), ['warn 4 h 48 m', 'error 1 h 0 m', 'error ended'])
    assert.equal(bench.health().status, 'expired')
    await bench.stop()
  })

  it('is announced in the millisecond after the last in which it is good', async () => {
    const bench = new Bench()
    bench.anchors.provide.push(fromOrganisation(bench, HOUR))
    await bench.start()
    await bench.clock.advance(HOUR)
    assert.equal(bench.health().status, 'expiring')
    await bench.clock.advance(1)
    assert.deepEqual(bench.told().at(-1), 'error ended')
    assert.equal(bench.health().status, 'expired')
    await bench.stop()
  })

  it('is not announced again after a restart, and what came while the node was down is announced once', async () => {
    const bench = new Bench()
    bench.anchors.provide.push(fromOrganisation(bench, 100 * DAY))
    await bench.start()
    await bench.clock.advance(71 * DAY)
    assert.equal(bench.told().length, 1)
    for (let restart = 0; restart < 3; restart++) {
      await bench.stop()
      await bench.start()
      await bench.clock.advance(HOUR)
    }
    assert.deepEqual(bench.told(), [])
    await bench.stop()
    await bench.clock.advance(27 * DAY)
    await bench.start()
    assert.deepEqual(bench.told(), ['warn 1 d 21 h'.replace('1 d 21 h', '45 h 0 m')])
    await bench.stop()
    await bench.clock.advance(3 * DAY)
    // Its context drops what has ended when it is opened.
    bench.anchors.provide.length = 0
    await bench.start()
    assert.deepEqual(bench.told(), ['error ended'])
    assert.equal(bench.health().status, 'expired')
    await bench.clock.advance(31 * DAY)
    assert.equal(bench.health().status, 'healthy')
    await bench.stop()
  })

  it('that was stored and over before the watch ever ran is no health either', async () => {
    const bench = new Bench()
    bench.anchors.provide.push(fromOrganisation(bench, -HOUR))
    await bench.start()
    assert.deepEqual(bench.told(), ['error ended'])
    assert.equal(bench.health().status, 'expired')
    await bench.stop()
  })

  it('is no matter any more as soon as a longer-lived token comes in its place, also after it came', async () => {
    const bench = new Bench()
    bench.anchors.provide.push(fromOrganisation(bench, 10 * DAY))
    await bench.start()
    await bench.clock.advance(9 * DAY)
    assert.equal(bench.health().status, 'expiring')
    bench.anchors.provide.push(fromOrganisation(bench, 100 * DAY))
    bench.watch?.refresh()
    assert.equal(bench.health().status, 'healthy')
    assert.equal(bench.log.entries.at(-1)?.message, 'capability renewed')
    await bench.clock.advance(95 * DAY)
    assert.equal(bench.health().status, 'expiring')
    await bench.clock.advance(10 * DAY)
    assert.equal(bench.health().status, 'expired')
    bench.anchors.provide.splice(0, 2, fromOrganisation(bench, 100 * DAY, ['/']))
    await bench.clock.advance(1_000)
    assert.equal(bench.health().status, 'healthy', 'within a second also without being told')
    bench.anchors.provide.length = 0
    await bench.clock.advance(95 * DAY)
    assert.equal(bench.health().status, 'healthy', 'what its owner takes away is not missed')
    await bench.stop()
  })

  it('is announced in its time although a wrong clock had it announced before', async () => {
    const bench = new Bench()
    bench.anchors.provide.push(fromOrganisation(bench, 100 * DAY))
    bench.lookMs = HOUR
    let wrongMs = 0
    const { nowMs } = bench.clock
    bench.clock.nowMs = () => nowMs.call(bench.clock) + wrongMs
    await bench.start()
    wrongMs = 99 * DAY
    await bench.clock.advance(HOUR)
    assert.deepEqual(bench.told(), ['error 23 h 0 m'])
    wrongMs = 0
    await bench.clock.advance(HOUR)
    assert.equal(bench.health().status, 'healthy')
    await bench.clock.advance(71 * DAY)
    assert.deepEqual(bench.told(), ['warn 30 d 0 h'])
    // Small corrections of the clock do not repeat anything: back over the step, and over it again.
    const leftMs = (bench.health().untilMs ?? 0) - bench.clock.nowMs()
    for (const correctionMs of [leftMs - 30 * DAY - 1_000, 0]) {
      wrongMs = correctionMs
      bench.watch?.refresh()
    }
    assert.deepEqual(bench.told(), [])
    await bench.stop()
  })

  it('is announced although its notes are damaged, too long, or cannot be written', async () => {
    for (const damage of [
      '{',
      '{"version":1,"tokens":[{"role":"x"}]}',
      '{"version":1,"tokens":[{"role":"provide","first_seen_ms":1,"announced":0,"token":"{}"}]}',
      ' '.repeat(33 * 2 ** 20)
    ]) {
      const bench = new Bench()
      bench.anchors.provide.push(fromOrganisation(bench, HOUR))
      await bench.files.writeAtomic('/work/expiry.json', Buffer.from(damage))
      bench.files.writeAtomic = () => Promise.reject(new Error('disk full'))
      await bench.start()
      await bench.clock.advance(HOUR)
      assert.equal(
        bench.log.entries.filter(({ message }) => message.includes('not known any more')).length,
        1
      )
      assert.ok(bench.log.entries.some(({ message }) => message.includes('not noted down')))
      assert.equal(bench.health().status, 'expiring')
      await bench.stop()
    }
  })

  it('of a dynamic grant that cannot be renewed is an issue long before', async () => {
    const bench = new Bench()
    await bench.start()
    const grant = { subject: organisation.did, audience: owner.did, capabilities: ['/dms/ensemble/e'] }
    bench.grants.push({ ...grant, endsAtMs: bench.clock.nowMs() + HOUR })
    assert.equal(bench.health().status, 'healthy')
    bench.grants.splice(0, 1, { ...grant, endsAtMs: bench.clock.nowMs() + HOUR / 2, failure: 'no key' })
    await bench.clock.advance(1_000)
    const { status, issues } = bench.health()
    assert.equal(status, 'expiring')
    assert.deepEqual([issues[0]?.kind, issues[0]?.failure], ['grant', 'no key'])
    await bench.clock.advance(HOUR / 2)
    assert.equal(bench.health().status, 'expired')
    await bench.stop()
  })

  it('is announced exactly once for each step, and never looks healthy, whatever happens meanwhile', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          type: fc.constant('advance' as const),
          ms: fc.integer({ min: 1, max: 20 * DAY })
        })
      },
      {
        weight: 2,
        arbitrary: fc.record({ type: fc.constant('restart' as const), ms: fc.integer({ min: 0, max: DAY }) })
      },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('anchor' as const),
          ms: fc.integer({ min: 1, max: 200 * DAY }),
          name: fc.constantFrom('/a', '/a/b', '/c')
        })
      },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('sweep' as const), ms: fc.constant(0) }) }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async steps => {
        const bench = new Bench()
        const announced = new Map<string, number>()
        await bench.start()
        for (const each of steps) {
          if (each.type === 'advance') await bench.clock.advance(each.ms)
          else if (each.type === 'anchor')
            bench.anchors.provide.push(fromOrganisation(bench, each.ms, [each.name]))
          else if (each.type === 'sweep') {
            bench.watch?.refresh() // a daemon looks every minute, so it has seen what is swept
            bench.anchors.provide = bench.anchors.provide.filter(held => endOf(held) >= bench.clock.nowMs())
          } else {
            await bench.stop()
            await bench.clock.advance(each.ms)
            await bench.start()
          }
          bench.watch?.refresh()
          for (const { message, fields } of bench.log.entries.splice(0)) {
            if (!message.startsWith('capability has ended')) continue
            const key = `${fields['capabilities']} ${fields['ends']}`
            announced.set(key, (announced.get(key) ?? 0) + 1)
          }
          const { status, issues } = bench.health()
          const nowMs = bench.clock.nowMs()
          const held = (name: string): boolean =>
            bench.anchors.provide.some(
              ({ capabilities, ...rest }) =>
                (capabilities ?? []).some(own => name === own || name.startsWith(`${own}/`)) &&
                endOf({ ...rest, capabilities }) >= nowMs
            )
          for (const over of bench.anchors.provide.filter(
            one => endOf(one) < nowMs && endOf(one) > nowMs - 30 * DAY
          )) {
            const missed = !held(over.capabilities?.[0] ?? '')
            if (missed) assert.equal(status, 'expired')
          }
          assert.equal(status === 'healthy', issues.length === 0)
        }
        for (const [key, times] of announced) assert.equal(times, 1, key)
        await bench.stop()
        assert.equal(bench.clock.pendingTimers, 0)
      }),
      { numRuns: 60 }
    )
  })
})
