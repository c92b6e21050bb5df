import assert from 'node:assert/strict'
import { test } from 'node:test'
import { satisfiesLocation } from '../../../../src/dms/jobs/location.ts'
import { describeProgress } from '../../../../src/dms/jobs/notifier.ts'
import { assertTransition, isLegalTransition } from '../../../../src/dms/jobs/transitions.ts'

test('an illegal change of state is an error with both states in it', () => {
  assert.throws(() => assertTransition('a', 'terminated', 'running'), {
    code: 'JOBS_ILLEGAL_TRANSITION',
    message: /'terminated' to 'running'/
  })
})

test('nothing leaves the terminated state, and nothing runs without being started', () => {
  const states = [
    'pending',
    'standby',
    'starting',
    'running',
    'restarting',
    'stopped',
    'completed',
    'failed',
    'terminated'
  ] as const
  for (const state of states) assert.equal(isLegalTransition('terminated', state), false)
  for (const state of states)
    assert.equal(isLegalTransition(state, 'running'), state === 'starting' || state === 'restarting')
})

test('progress reads as a person would say it', () => {
  assert.equal(
    describeProgress({ step: 'pulling', image: 'busybox', fraction: 0.437 }),
    'pulling busybox 43 %'
  )
  assert.equal(describeProgress({ step: 'pulling', image: 'busybox' }), 'pulling busybox')
  assert.equal(describeProgress({ step: 'creating' }), 'creating')
})

test('a place must match one accepted entry and no rejected one', () => {
  const here = { continent: 'Europe', country: 'DE', city: 'Berlin' }
  const germany = { continent: 'Europe', country: 'DE' }
  assert.equal(satisfiesLocation(here, {}), true)
  assert.equal(satisfiesLocation(here, { accept: [{ continent: 'Asia' }, germany] }), true)
  assert.equal(
    satisfiesLocation(here, { accept: [germany], reject: [{ ...germany, city: 'Berlin' }] }),
    false
  )
  assert.equal(satisfiesLocation(here, { accept: [{ continent: 'europe' }] }), false)
  assert.equal(satisfiesLocation({}, { accept: [germany] }), false)
  assert.equal(satisfiesLocation({}, { reject: [germany] }), true)
})
