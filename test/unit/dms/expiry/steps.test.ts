import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isUrgent, nextStepIn, stepsOf, stepsPassed } from '../../../../src/dms/expiry/steps.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('the steps at which an end is announced', () => {
  it('are 30, 7, 3 and 1 days and an hour for a token made for months', () => {
    assert.deepEqual(stepsOf(365 * DAY), [30 * DAY, 7 * DAY, 3 * DAY, DAY, HOUR])
    assert.deepEqual(stepsOf(60 * DAY), [30 * DAY, 7 * DAY, 3 * DAY, DAY, HOUR])
  })

  it('begin with a fifth of a shorter life, and leave out what would come soon after', () => {
    assert.deepEqual(stepsOf(40 * DAY), [8 * DAY, 3 * DAY, DAY, HOUR])
    assert.deepEqual(stepsOf(5 * DAY), [DAY, HOUR])
    assert.deepEqual(stepsOf(HOUR), [12 * 60_000])
    assert.deepEqual(stepsOf(0), [0])
  })

  it('are passed one after another, the end last', () => {
    const life = 365 * DAY
    const passed = [31 * DAY, 30 * DAY, 7 * DAY, 3 * DAY, DAY, HOUR, 0, -1].map(left =>
      stepsPassed(life, left)
    )
    assert.deepEqual(passed, [0, 1, 2, 3, 4, 5, 5, 6])
  })

  it('are urgent when a day is left, but not the first of a token that lives for a few days', () => {
    assert.equal(isUrgent(365 * DAY, 3 * DAY), false)
    assert.equal(isUrgent(365 * DAY, DAY), true)
    assert.equal(isUrgent(2 * DAY, 8 * HOUR), false)
    assert.equal(isUrgent(2 * DAY, HOUR), true)
    assert.equal(isUrgent(HOUR, -1), true)
  })

  it('never lie in the first half of a life, and the wait for the next one ends where it is passed', () => {
    const span = fc.integer({ min: 1, max: 1000 * DAY })
    fc.assert(
      fc.property(span, span, (life, left) => {
        for (const step of stepsOf(life)) assert.ok(step <= life / 2)
        const wait = nextStepIn(life, left)
        assert.ok(wait !== undefined && wait > 0)
        assert.ok(stepsPassed(life, left - wait) > stepsPassed(life, left))
        assert.equal(stepsPassed(life, left - wait + 1), stepsPassed(life, left))
        assert.equal(nextStepIn(life, -1), undefined)
      })
    )
  })
})
