import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Behavior } from '../../../../src/actor/index.ts'
import { declare, noPayload } from '../../../../src/dms/node/declare.ts'
import { DeploymentError } from '../../../../src/dms/orchestrator/index.ts'

/** The answer a declared behaviour gives to a handler that threw. */
function answerTo(error: unknown): unknown {
  let answer: unknown
  const addTo = declare({ path: '/x', request: noPayload, handle: () => 1, onError: failure => failure })
  addTo({
    addBehavior: <Request, Reply>(behavior: Behavior<Request, Reply>) => {
      answer = behavior.onError?.({ message: 'handler failed', error })
      return () => undefined
    }
  })
  return answer
}

describe('a declared behaviour', () => {
  it('tells its caller the reason and what to do next', () => {
    const error = new DeploymentError('DEPLOYMENT_UNKNOWN', "deployment 'x' not found", {
      hint: 'see nunet ps'
    })
    assert.deepEqual(answerTo(error), { message: "deployment 'x' not found; see nunet ps" })
  })

  it('tells of a fault of the program only that there was one', () => {
    assert.deepEqual(answerTo(new TypeError('/home/owner/secret is undefined')), {
      message: 'handler failed'
    })
  })
})
