import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  base32ToBytes,
  base64ToBytes,
  bytesToBase32,
  bytesToBase64,
  bytesToHex,
  bytesToUtf8,
  formatBytes,
  type GoJsonValue,
  goJsonString,
  hexToBytes,
  isoTime,
  parseBytes,
  parseDurationMs,
  parseGoJson,
  parseTimeMs,
  SyntaxFault,
  utf8ToBytes,
  VirtualClock
} from '../../../src/utils/index.ts'

const LIMITS = { maxLength: 1_000_000, maxDepth: 64 }

/** Holds when `read` gives a value or a `SyntaxFault`, and nothing else is thrown. */
function readsOrRefuses<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    assert.ok(error instanceof SyntaxFault, String(error))
    return undefined
  }
}

describe('bytes as text', () => {
  for (const [name, write, read] of [
    ['base64', bytesToBase64, base64ToBytes],
    ['base32', bytesToBase32, base32ToBytes],
    ['hexadecimal', bytesToHex, hexToBytes]
  ] as const) {
    it(`come back from ${name}`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), bytes =>
          assert.deepEqual(read(write(bytes)), new Uint8Array(bytes))
        )
      )
    })

    it(`in ${name} have one form only: what can be read is what would be written`, () => {
      const texts = fc.oneof(
        fc.string(),
        fc.base64String(),
        fc.string({ unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=') })
      )
      fc.assert(
        fc.property(texts, text => {
          const bytes = readsOrRefuses(() => read(text))
          if (bytes !== undefined)
            assert.equal(write(bytes), name === 'hexadecimal' ? text.toLowerCase() : text)
        })
      )
    })
  }

  it('come back from UTF-8 where they are well-formed, and are refused where not', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        const text = readsOrRefuses(() => bytesToUtf8(new Uint8Array(bytes)))
        if (text !== undefined) assert.deepEqual(utf8ToBytes(text), new Uint8Array(bytes))
      })
    )
  })
})

describe('JSON as Go has it', () => {
  /** The same value as `JSON.parse` would give it. */
  function plain(value: GoJsonValue): unknown {
    if (typeof value === 'bigint') return Number(value)
    if (Array.isArray(value)) return value.map(plain)
    if (value instanceof Map)
      return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]))
    return value
  }

  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), value => {
        const text = JSON.stringify(value)
        assert.deepEqual(plain(parseGoJson(text, LIMITS)), JSON.parse(text))
      })
    )
  })

  it('accepts no text that JSON.parse refuses', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'{}[]",:0123eE+-. \\utrnalsf') })
    )
    fc.assert(
      fc.property(texts, text => {
        const value = readsOrRefuses(() => parseGoJson(text, LIMITS))
        if (value !== undefined) JSON.parse(text)
      }),
      { numRuns: 2000 }
    )
  })

  it('reads back each string it writes, and writes it safe for HTML', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const written = goJsonString(text)
        assert.doesNotMatch(written, /[<>&\u2028\u2029]/)
        assert.equal(parseGoJson(written, LIMITS), text.toWellFormed())
      })
    )
  })
})

describe('texts that users type', () => {
  it('are read or refused, never anything else', () => {
    const typed = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0123456789.-+eE hmsdunGMKiBbz:TZ') })
    )
    fc.assert(
      fc.property(typed, text => {
        for (const read of [parseDurationMs, parseTimeMs, parseBytes]) {
          const value = readsOrRefuses(() => read(text))
          assert.ok(value === undefined || Number.isFinite(value), text)
        }
      }),
      { numRuns: 2000 }
    )
  })

  it('give times back', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), date =>
        assert.equal(parseTimeMs(isoTime(date.getTime())), date.getTime())
      )
    )
  })

  it('show sizes that are near what was meant', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), bytes => {
        const shown = parseBytes(formatBytes(bytes))
        assert.ok(Math.abs(shown - bytes) <= bytes * 0.06 + 1, `${bytes} shown as ${formatBytes(bytes)}`)
      })
    )
  })
})

describe('the virtual clock', () => {
  it('runs every timer that was not cancelled once, in order of time and setting', async () => {
    const timers = fc.array(fc.record({ ms: fc.nat(500), cancelled: fc.boolean() }), { maxLength: 300 })
    await fc.assert(
      fc.asyncProperty(timers, async plan => {
        const clock = new VirtualClock(0)
        const seen: number[] = []
        plan.forEach(({ ms, cancelled }, index) => {
          const timer = clock.setTimer(ms, () => void seen.push(index))
          if (cancelled) timer.cancel()
        })
        await clock.advance(500)
        const expected = plan
          .map(({ ms, cancelled }, index) => ({ ms, cancelled, index }))
          .filter(({ cancelled }) => !cancelled)
          .sort((a, b) => a.ms - b.ms || a.index - b.index)
        assert.deepEqual(
          seen,
          expected.map(({ index }) => index)
        )
        assert.equal(clock.pendingTimers, 0)
      }),
      { numRuns: 15 }
    )
  })
})
