import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  formatBytes,
  formatDuration,
  isoTime,
  parseBytes,
  parseDurationMs,
  parseHertz,
  parseTimeMs
} from '../../../src/utils/index.ts'

const FAULT = { code: 'SYNTAX' }

describe('durations', () => {
  for (const [text, ms] of [
    ['0', 0],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['1.s', 1000],
    ['500ms', 500],
    ['7d', 604_800_000],
    ['-1m', -60_000],
    ['+1m', 60_000],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1h1h', 7_200_000]
  ] as const) {
    it(`reads '${text}'`, () => assert.equal(parseDurationMs(text), ms))
  }

  for (const text of [
    '',
    '5',
    's',
    '1x',
    '1h ',
    ' 1h',
    '1h 30m',
    '--1h',
    '+-1h',
    '-',
    '.s',
    '1e3s',
    '1,5s',
    '１h',
    '9'.repeat(400) + 'h'
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () =>
      assert.throws(() => parseDurationMs(text), FAULT))
  }

  it('does not hang on long input', () => {
    assert.throws(() => parseDurationMs(`${'1'.repeat(200_000)}`), FAULT)
  })

  for (const [ms, text] of [
    [0, '0 ms'],
    [850.4, '850 ms'],
    [999.6, '1.0 s'],
    [2100, '2.1 s'],
    [59_949, '59.9 s'],
    [59_960, '1 m 0 s'],
    [200_000, '3 m 20 s'],
    [3_599_600, '1 h 0 m'],
    [7_500_000, '2 h 5 m']
  ] as const) {
    it(`shows ${ms} ms as '${text}'`, () => assert.equal(formatDuration(ms), text))
  }
})

describe('times', () => {
  for (const [text, iso] of [
    ['2027-12-31', '2027-12-31T00:00:00.000Z'],
    ['2027-12-31 23:59:59', '2027-12-31T23:59:59.000Z'],
    ['2027-12-31T12:00:00Z', '2027-12-31T12:00:00.000Z'],
    ['2027-12-31T12:00:00+02:00', '2027-12-31T10:00:00.000Z'],
    ['2027-12-31T12:00:00.123456789Z', '2027-12-31T12:00:00.123Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z']
  ] as const) {
    it(`reads '${text}'`, () => assert.equal(isoTime(parseTimeMs(text)), iso))
  }

  for (const text of [
    '',
    'tomorrow',
    '2027-02-30',
    '2027-13-01',
    '2027-02-29',
    '31-12-2027',
    '2027-12-31T25:00:00Z',
    '2027-12-31T12:00Z',
    '2027-1-1',
    '1798675200'
  ]) {
    it(`refuses '${text}'`, () => assert.throws(() => parseTimeMs(text), FAULT))
  }
})

describe('sizes', () => {
  for (const [input, bytes] of [
    ['1', 2 ** 30],
    [1.5, 1.5 * 2 ** 30],
    ['512MiB', 512 * 2 ** 20],
    ['512 mib', 512 * 2 ** 20],
    ['2 GB', 2e9],
    ['1k', 1000],
    ['1Ki', 1024],
    ['0', 0],
    ['.5 GiB', 2 ** 29],
    ['1e3 B', 1000],
    ['1.0000000001 KiB', 1024]
  ] as const) {
    it(`reads '${input}'`, () => assert.equal(parseBytes(input), bytes))
  }

  it('reads a bare number in the given unit', () => assert.equal(parseBytes('3', 'MiB'), 3 * 2 ** 20))

  for (const input of [
    '',
    '-1',
    '1 XB',
    'GiB',
    '1 GiB 2',
    '0x10',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '1e400',
    '9000 PiB',
    '1 constructor',
    '1 __proto__',
    '1..2'
  ]) {
    it(`refuses '${input}'`, () => assert.throws(() => parseBytes(input), FAULT))
  }

  for (const [bytes, text] of [
    [0, '0 B'],
    [17, '17 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [512 * 2 ** 20, '512 MiB'],
    [1023.99 * 2 ** 20, '1 GiB'],
    [2 ** 60, '1024 PiB']
  ] as const) {
    it(`shows ${bytes} as '${text}'`, () => assert.equal(formatBytes(bytes), text))
  }
})

describe('clock speeds', () => {
  it('are read without regard to case; a bare number is in GHz', () => {
    assert.deepEqual(['2.4 GHz', '800mhz', '1', '5 Hz', '3 KHZ'].map(parseHertz), [2.4e9, 8e8, 1e9, 5, 3000])
    assert.throws(() => parseHertz('2.4 GiB'), FAULT)
    assert.throws(() => parseHertz('fast'), FAULT)
  })
})
