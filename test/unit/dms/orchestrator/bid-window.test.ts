import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judgeWindow, type WindowFacts } from '../../../../src/dms/orchestrator/index.ts'

function facts(change: Partial<WindowFacts>): WindowFacts {
  return {
    elapsedMs: 0,
    asked: 3,
    answered: 0,
    lastAnswerMs: undefined,
    fewestBids: 0,
    placeable: false,
    ...change
  }
}

describe('the bid window', () => {
  it('stays open while nobody has answered, at the longest for five seconds', () => {
    assert.deepEqual(judgeWindow(facts({ elapsedMs: 1_000 })), { closed: false, checkInMs: 4_000 })
    assert.deepEqual(judgeWindow(facts({ elapsedMs: 5_000 })), { closed: true, reason: 'time' })
  })

  it('closes at once when everyone who was asked has answered, bids or not', () => {
    assert.deepEqual(judgeWindow(facts({ elapsedMs: 20, answered: 3, lastAnswerMs: 20 })), {
      closed: true,
      reason: 'everyone answered'
    })
  })

  it('does not take silence of an empty network for an answer', () => {
    assert.equal(judgeWindow(facts({ asked: 0, elapsedMs: 20 })).closed, false)
  })

  it('gives stragglers twice the time of the slowest answer once every node can be placed', () => {
    const placeable = { answered: 2, lastAnswerMs: 100, fewestBids: 1, placeable: true }
    assert.deepEqual(judgeWindow(facts({ ...placeable, elapsedMs: 150 })), { closed: false, checkInMs: 150 })
    assert.deepEqual(judgeWindow(facts({ ...placeable, elapsedMs: 300 })), {
      closed: true,
      reason: 'placeable'
    })
  })

  it('keeps waiting for a node without a bid, however many the others have', () => {
    assert.equal(
      judgeWindow(facts({ answered: 2, lastAnswerMs: 10, elapsedMs: 3_000, fewestBids: 0 })).closed,
      false
    )
  })

  it('closes when every node has as many bids as are kept', () => {
    const verdict = judgeWindow(
      facts({ asked: 100, answered: 40, lastAnswerMs: 5, elapsedMs: 5, fewestBids: 8, placeable: true })
    )
    assert.deepEqual(verdict, { closed: true, reason: 'enough bids' })
  })

  it('never asks to be checked later than its end', () => {
    const verdict = judgeWindow(
      facts({ answered: 1, lastAnswerMs: 4_800, elapsedMs: 4_900, fewestBids: 1, placeable: true })
    )
    assert.deepEqual(verdict, { closed: false, checkInMs: 100 })
  })
})
