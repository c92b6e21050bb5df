import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { printGoJson, printPlain, readGoJson, toPlain } from '../../../src/cmd/cli/go-print.ts'
import { oneLine, printable, printableOutput } from '../../../src/cmd/cli/printable.ts'
import { formatAge, formatTable, shortId } from '../../../src/cmd/cli/table.ts'
import { utf8ToBytes } from '../../../src/utils/index.ts'

const reprint = (text: string, indent?: number): string => printGoJson(readGoJson(utf8ToBytes(text)), indent)

describe('JSON as Go prints it', () => {
  it('indents by two spaces and keeps the order received', () => {
    assert.equal(
      reprint('{"b":1,"a":[true,null,{"x":"y"}]}'),
      '{\n  "b": 1,\n  "a": [\n    true,\n    null,\n    {\n      "x": "y"\n    }\n  ]\n}'
    )
  })
  it('prints empty objects and lists on one line', () =>
    assert.equal(reprint('{"a":{},"b":[]}'), '{\n  "a": {},\n  "b": []\n}'))
  it('escapes what Go escapes', () =>
    assert.equal(
      reprint('"<a href=\\"x\\">&\\u2028\\u0008"'),
      '"\\u003ca href=\\"x\\"\\u003e\\u0026\\u2028\\u0008"'
    ))
  it('keeps integers beyond 2^53 exact', () =>
    assert.equal(reprint('18446744073709551615'), '18446744073709551615'))
  it('prints no payload as null', () => assert.equal(printGoJson(readGoJson(new Uint8Array())), 'null'))
  it('prints one compact line without indent', () =>
    assert.equal(reprint('{"a": [1, {"b": 2}]}', 0), '{"a":[1,{"b":2}]}'))
  it('prints plain values and leaves out undefined members', () => {
    assert.equal(
      printPlain({ a: undefined, b: [1.5, 2n, 'x'], c: new Map([['k', null]]) }, 0),
      '{"b":[1.5,2,"x"],"c":{"k":null}}'
    )
  })
  it('refuses text nested too deep instead of losing its stack', () => {
    assert.throws(() => readGoJson(utf8ToBytes('['.repeat(100_000))), { code: 'SYNTAX' })
  })
  it('turns exact values to plain ones', () =>
    assert.deepEqual(toPlain(readGoJson(utf8ToBytes('{"a":[1,"x",null,{"b":2.5}]}'))), {
      a: [1, 'x', null, { b: 2.5 }]
    }))
})

describe('text from elsewhere', () => {
  it('cannot move the cursor or ring the bell', () => {
    assert.equal(printable('a\u001b[2Jb\u0007\r\u009b1A'), 'a\\x1b[2Jb\\x07\\x0d\\x9b1A')
  })
  it('cannot turn the writing direction', () => assert.equal(printable('a\u202eb'), 'a\\u202eb'))
  it('keeps letters of all scripts', () => assert.equal(printable('grüße 你好 🙂\tx'), 'grüße 你好 🙂\tx'))
  it('fits on one line', () => assert.equal(oneLine(' a\n  b\n\nc '), 'a; b; c'))
  it('keeps colours of workloads and nothing else that commands a terminal', () => {
    assert.equal(
      printableOutput('\u001b[1;31mred\u001b[0m\t\u001b[2J\u001b]0;title\u0007'),
      '\u001b[1;31mred\u001b[0m\t\\x1b[2J\\x1b]0;title\\x07'
    )
  })
  it('is not slow on long sequences', () =>
    assert.ok(printableOutput('\u001b['.repeat(100_000)).startsWith('\\x1b[')))
})

describe('tables', () => {
  it('align columns and end no line with spaces', () => {
    assert.equal(
      formatTable(
        ['A', 'LONG'],
        [
          ['xyz', ''],
          ['', 'b']
        ]
      ),
      'A    LONG\nxyz\n     b\n'
    )
  })
  it('make control characters in cells visible', () =>
    assert.equal(formatTable(['A'], [['x\u001b[1m']]), 'A\nx\\x1b[1m\n'))
  it('shorten ids in the middle', () =>
    assert.deepEqual([shortId('short'), shortId('12D3KooWLYnqpr5jnTXR')], ['short', '12D3…5jnTXR']))
  it('print ages in one unit', () => {
    assert.deepEqual([-5, 5000, 119_000, 120_000, 7_200_000, 172_800_000].map(formatAge), [
      '0s',
      '5s',
      '119s',
      '2m',
      '2h',
      '2d'
    ])
  })
})
