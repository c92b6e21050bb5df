/** A message whose tokens need look-ups: it waits, nobody else does, and what was true before is checked again after. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { everyone, type TestNode, TestWorld } from '../helpers.ts'

const SLOW = '/dms/slow'
const QUICK = '/dms/quick'

interface Bench {
  readonly world: TestWorld
  readonly caller: TestNode
  readonly callee: TestNode
  readonly handled: string[]
  readonly lookedUp: PromiseWithResolvers<void>
}

/** A node that looks something up for messages that want `SLOW`, until `lookedUp` is settled. */
async function bench(): Promise<Bench> {
  const world = new TestWorld('lookups')
  const caller = await world.node(everyone)
  const lookedUp = Promise.withResolvers<void>()
  const callee = await world.node({
    ...everyone,
    lookups: blob => (blob.includes(SLOW) ? () => lookedUp.promise : undefined)
  })
  const handled: string[] = []
  for (const path of [SLOW, QUICK]) {
    callee.root.addBehavior({
      path,
      request: z.unknown(),
      handle: async () => {
        handled.push(path)
        return {}
      }
    })
  }
  return { world, caller, callee, handled, lookedUp }
}

describe('a message whose tokens need look-ups', () => {
  it('waits for them, and others do not wait for it', async () => {
    const { world, caller, callee, handled, lookedUp } = await bench()
    await using _callee = callee
    await using _caller = caller
    const slow = caller.root.invoke(callee.root.handle, SLOW, {})
    await world.settle()
    const quick = caller.root.invoke(callee.root.handle, QUICK, {})
    await world.settle()
    assert.deepEqual(handled, [QUICK])
    lookedUp.resolve()
    assert.ok((await slow).ok)
    assert.ok((await quick).ok)
    assert.deepEqual(handled, [QUICK, SLOW])
  })

  it('is judged by what is known when the look-up fails', async () => {
    const { world, caller, callee, handled, lookedUp } = await bench()
    await using _callee = callee
    await using _caller = caller
    const slow = caller.root.invoke(callee.root.handle, SLOW, {})
    await world.settle()
    callee.context.policy = {}
    lookedUp.reject(new Error('unreachable'))
    await world.settle()
    assert.deepEqual(handled, [])
    assert.deepEqual(callee.drops(), ['UCAN_NOT_AUTHORIZED'])
    await world.clock.advance(60_000)
    assert.equal((await slow).ok, false)
  })

  it('that expires while it waits is dropped', async () => {
    const { world, caller, callee, handled, lookedUp } = await bench()
    await using _callee = callee
    await using _caller = caller
    const slow = caller.root.invoke(callee.root.handle, SLOW, {}, { timeoutMs: 2000 })
    await world.settle()
    await world.clock.advance(3000)
    lookedUp.resolve()
    await world.settle()
    assert.equal((await slow).ok, false)
    assert.deepEqual(handled, [])
    assert.deepEqual(callee.drops(), ['ACTOR_MESSAGE_EXPIRED'])
  })

  it('does not keep its actor from stopping', async () => {
    const { world, caller, callee, handled } = await bench()
    await using _caller = caller
    const slow = caller.root.invoke(callee.root.handle, SLOW, {}, { timeoutMs: 2000 })
    await world.settle()
    await callee[Symbol.asyncDispose]()
    await world.clock.advance(3000)
    assert.equal((await slow).ok, false)
    assert.deepEqual(handled, [])
  })
})
