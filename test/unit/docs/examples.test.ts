import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exampleOfDoor, examplesOfPage, matchesOutput } from '../../../scripts/docs/examples.ts'

describe('programs in the documentation', () => {
  it('are found with the output that follows them, and without one where another text follows', () => {
    const page =
      '# A\n\n```ts\none()\n```\n\n```text\nfirst\nsecond\n```\n\n```sh\nnpm\n```\n\n```cjs\ntwo()\n```\n\nSo.\n\n```text\nnot its\n```\n'
    assert.deepEqual(examplesOfPage('a.md', page), [
      { place: 'a.md:3', language: 'ts', code: 'one()\n', output: ['first', 'second'] },
      { place: 'a.md:16', language: 'cjs', code: 'two()\n', output: undefined }
    ])
  })

  it('of a door say what they print in comments', () => {
    const door =
      '/**\n * A door.\n *\n * @example\n * ```ts\n * const a = 1\n *\n * console.log(a) // 1\n * console.log(f(a)) // 2, then 3\n * ```\n */\nexport {}\n'
    const { code, output } = exampleOfDoor('a.ts', door)
    assert.equal(code, 'const a = 1\n\nconsole.log(a) // 1\nconsole.log(f(a)) // 2, then 3\n')
    assert.deepEqual(output, ['1', '2', '3'])
  })

  it('are missed where a door has none', () => {
    assert.throws(() => exampleOfDoor('a.ts', '/** A door. */\n/** @example */'), /'a.ts' opens without/)
  })

  it('print what differs from run to run where an ellipsis stands, on that line only', () => {
    assert.ok(matchesOutput('id 12D3 (ok)\n', ['id … (ok)']))
    assert.ok(!matchesOutput('id 12D3 (ok)\nmore\n', ['id … (ok)']))
    assert.ok(!matchesOutput('id 12\nD3 (ok)\n', ['id … (ok)']))
    assert.ok(!matchesOutput('id 12D3 (ok) more\n', ['id … (ok)']))
    assert.ok(!matchesOutput('abc\n', ['a.c']))
  })
})
