import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoize } from '../../../src/utils/index.ts'

test('a memo computes once, forgets the oldest entry at its limit and does not remember a throw', () => {
  const asked: number[] = []
  const double = memoize(2, (value: number) => {
    asked.push(value)
    if (value < 0) throw new Error('negative')
    return value * 2
  })
  assert.deepEqual([double(1), double(1), double(2), double(3), double(1)], [2, 2, 4, 6, 2])
  assert.deepEqual(asked, [1, 2, 3, 1])
  assert.throws(() => double(-1))
  assert.throws(() => double(-1))
  assert.deepEqual(asked, [1, 2, 3, 1, -1, -1])
})
