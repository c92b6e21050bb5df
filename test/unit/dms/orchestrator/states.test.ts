import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DeploymentStatus } from '../../../../src/db/index.ts'
import {
  ACTIVE_STATUSES,
  checkTransition,
  IllegalTransitionError,
  TRANSITIONS
} from '../../../../src/dms/orchestrator/index.ts'

const ALL = Object.keys(TRANSITIONS) as DeploymentStatus[] // the table's keys are the statuses

describe('the states of a deployment', () => {
  it('let every active state end, and nothing leave an end', () => {
    for (const status of ALL) {
      const reachable = new Set<DeploymentStatus>([status])
      for (const from of reachable) for (const to of TRANSITIONS[from]) reachable.add(to)
      const isEnd = status === 'Failed' || status === 'Completed'
      assert.equal(TRANSITIONS[status].length === 0, isEnd, status)
      assert.ok(reachable.has('Completed') || reachable.has('Failed'), status)
      assert.equal(ACTIVE_STATUSES.includes(status), !isEnd, status)
    }
  })

  it('refuse a step that the table does not have, and name both ends', () => {
    assert.throws(
      () => checkTransition('Completed', 'Running'),
      (error: unknown) => {
        assert.ok(error instanceof IllegalTransitionError)
        assert.match(error.message, /'Completed' to 'Running'/)
        return true
      }
    )
  })

  it('allow a step to be repeated', () => {
    for (const status of ALL) assert.doesNotThrow(() => checkTransition(status, status))
  })
})
