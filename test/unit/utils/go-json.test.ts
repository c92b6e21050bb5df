import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type GoJsonObject, goJsonString, goMember, parseGoJson } from '../../../src/utils/index.ts'

const LIMITS = { maxLength: 10_000, maxDepth: 8 }
const FAULT = { code: 'SYNTAX' }

function parseObject(text: string): GoJsonObject {
  const value = parseGoJson(text, LIMITS)
  assert.ok(value instanceof Map)
  return value
}

describe('a string written as Go writes it', () => {
  for (const [text, expected] of [
    ['plain', '"plain"'],
    ['<a>&', '"\\u003ca\\u003e\\u0026"'],
    ['\u2028\u2029', '"\\u2028\\u2029"'],
    ['\b\f\n\r\t', '"\\u0008\\u000c\\n\\r\\t"'],
    ['\u0000\u001f', '"\\u0000\\u001f"'],
    ['"\\', '"\\"\\\\"'],
    ['\\b', '"\\\\b"'],
    ['\\\b', '"\\\\\\u0008"'],
    ['\u007f\u00e9\u{1F600}', '"\u007f\u00e9\u{1F600}"'],
    ['a\ud800b', '"a\ufffdb"']
  ] as const) {
    it(`${JSON.stringify(text)} becomes ${expected}`, () => assert.equal(goJsonString(text), expected))
  }
})

describe('reading JSON as Go reads it', () => {
  it('keeps 64-bit integers exact and other numbers as floats', () => {
    assert.equal(parseGoJson('18446744073709551615', LIMITS), 18_446_744_073_709_551_615n)
    assert.equal(parseGoJson('-9223372036854775808', LIMITS), -9_223_372_036_854_775_808n)
    assert.equal(parseGoJson('1.5', LIMITS), 1.5)
    assert.equal(parseGoJson('1e3', LIMITS), 1000)
  })

  it('reads all kinds of values', () => {
    const value = parseObject(' {"a": [1, true, false, null, "x", {}], "b": {} }\n')
    assert.deepEqual(
      value,
      new Map<string, unknown>([
        ['a', [1n, true, false, null, 'x', new Map()]],
        ['b', new Map()]
      ])
    )
    assert.deepEqual(parseGoJson('[]', LIMITS), [])
  })

  it('takes the last of two members of one name', () => {
    assert.equal(parseObject('{"a": 1, "a": 2}').get('a'), 2n)
  })

  it('finds members without regard to case; the last wins', () => {
    assert.equal(goMember(parseObject('{"Name": 1, "NAME": 2}'), 'name'), 2n)
    assert.equal(goMember(parseObject('{"name": 1, "NAME": 2}'), 'name'), 2n)
    assert.equal(goMember(parseObject('{"name": 1, "NAME": 2, "name": 3}'), 'name'), 3n)
    assert.equal(goMember(parseObject('{"other": 1}'), 'name'), undefined)
    assert.equal(goMember(parseObject('{}'), '__proto__'), undefined)
  })

  it('keeps names of strangers from the prototype', () => {
    assert.deepEqual([...parseObject('{"__proto__": {"x": 1}}').keys()], ['__proto__'])
  })

  it('reads escapes; a lone surrogate becomes U+FFFD', () => {
    assert.equal(parseGoJson('"\\u00e9\\n\\/\\ud83d\\ude00\\ud800"', LIMITS), '\u00e9\n/\u{1F600}\ufffd')
  })

  for (const text of [
    '',
    ' ',
    '{',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    "{'a':1}",
    '01',
    '-',
    '+1',
    '.5',
    '1.',
    '1e',
    'nul',
    'nullx',
    'truefalse',
    '"a',
    '"\n"',
    '"\\x"',
    '"\\u12"',
    '1 2',
    '[1 2]',
    'NaN',
    'Infinity',
    '\ufeff1',
    '{"a" 1}',
    '// x\n1',
    '1e999',
    `1${'0'.repeat(500)}`,
    '\u00a01'
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseGoJson(text, LIMITS), FAULT))
  }

  it('keeps its bounds', () => {
    assert.throws(() => parseGoJson('1'.repeat(10_001), LIMITS), FAULT)
    assert.throws(() => parseGoJson('['.repeat(9), LIMITS), /deeper than 8/)
    assert.doesNotThrow(() => parseGoJson(`${'['.repeat(8)}${']'.repeat(8)}`, LIMITS))
    assert.throws(() => parseGoJson('['.repeat(5000), LIMITS), FAULT)
  })

  it('is not slow or shallow on long strings', () => {
    const text = JSON.stringify('\\"x'.repeat(300_000))
    assert.equal(parseGoJson(text, { maxLength: 10_000_000, maxDepth: 1 }), '\\"x'.repeat(300_000))
  })

  it('refuses a string that is too long instead of running out of stack', () => {
    const limits = { maxLength: 40_000_000, maxDepth: 2 }
    for (const piece of ['a', '\\u0041'])
      for (const end of ['"', ''])
        assert.throws(() => parseGoJson(`"${piece.repeat(30_000_000 / piece.length)}${end}`, limits), {
          ...FAULT,
          message: /not too long/
        })
    const text = JSON.stringify(['x'.repeat(2_000_000), { a: '"'.repeat(1_500_000) }, 'z'])
    assert.deepEqual(parseGoJson(text, limits), [
      'x'.repeat(2_000_000),
      new Map([['a', '"'.repeat(1_500_000)]]),
      'z'
    ])
  })
})
