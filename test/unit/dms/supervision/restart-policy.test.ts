import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MAX_RESTARTS, restartPauseMs, restartSet } from '../../../../src/dms/supervision/index.ts'

describe('the recovery strategy', () => {
  const all = ['a', 'b', 'c', 'd']
  it('decides who is restarted when one fails', () => {
    assert.deepEqual(restartSet('stay_down', 'b', all), [])
    assert.deepEqual(restartSet('one_for_one', 'b', all), ['b'])
    assert.deepEqual(restartSet('one_for_all', 'b', all), all)
    assert.deepEqual(restartSet('rest_for_one', 'b', all), ['b', 'c', 'd'])
  })

  it('waits longer before each restart and gives up after the last', () => {
    const pauses = Array.from({ length: MAX_RESTARTS + 1 }, (_, count) => restartPauseMs(count))
    assert.equal(pauses.at(-1), undefined)
    const waits = pauses.slice(0, -1).map(pause => pause ?? 0)
    for (let index = 1; index < waits.length; index++)
      assert.ok((waits[index] ?? 0) > (waits[index - 1] ?? 0))
  })
})
