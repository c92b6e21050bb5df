import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { impliedBy, requireIssuable } from '../../../../src/lib/ucan/capability.ts'
import { CapabilityError, impliesCapability } from '../../../../src/lib/ucan/index.ts'

const IMPLIES: [held: string, asked: string, verdict: boolean][] = [
  ['/public', '/public', true],
  ['/public', '/public/hello', true],
  ['/public', '/publicity', false],
  ['/public/hello', '/public', false],
  ['/', '/anything/below', true],
  ['/', '/', true],
  ['/', 'no-slash', true],
  ['/public/', '/public/hello', false],
  ['/public/', '/public/', true],
  ['/public/', '/public//x', true],
  ['/public', '/public//x', true],
  ['/a//b', '/a/b', false],
  ['/a/b', '/a//b', false],
  ['/a/..', '/b', false],
  ['/a/../b', '/b', false],
  ['/a', '/a/../b', true],
  ['/A', '/a', false],
  ['/caf\u00e9', '/cafe\u0301', false],
  ['', '/anything', false],
  ['', '', false],
  ['/a', '', false]
]

describe('capability names', () => {
  for (const [held, asked, verdict] of IMPLIES) {
    test(`'${held}' ${verdict ? 'implies' : 'does not imply'} '${asked}'`, () => {
      assert.equal(impliesCapability(held, asked), verdict)
    })
  }

  test('the names that imply a name are found without looking at others', () => {
    assert.deepEqual(impliedBy('/a/b/c'), ['/', '/a', '/a/b', '/a/b/c'])
    assert.deepEqual(impliedBy('/'), ['/'])
    for (const [held, asked, verdict] of IMPLIES) {
      if (held !== '') assert.equal(impliedBy(asked).includes(held), verdict, `${held} ${asked}`)
    }
  })

  test('odd names are never issued', () => {
    for (const name of ['', 'a', 'a/b', '/a/', '//', '/a//b', '/.', '/a/..', '/a/../b', '/cafe\u0301']) {
      assert.throws(() => requireIssuable(name), CapabilityError, name)
    }
    for (const name of ['/', '/a', '/a/b-c_1', '/caf\u00e9', '/a.b', '/...']) requireIssuable(name)
  })
})
