/** Messages that wait for keys of their tokens' issuers wait beside the queue, few at once, and not for long. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  LOOKUP_LIMIT_MS,
  MAX_WAITING_FOR_KEYS,
  WAITING_FOR_KEYS_PER_PEER
} from '../../../src/actor/constants.ts'
import { WaitingForKeys } from '../../../src/actor/dispatch/waiting.ts'
import type { Arrival } from '../../../src/actor/types.ts'
import { generateKey, peerIdOf } from '../../../src/lib/crypto/index.ts'
import type { PeerId } from '../../../src/types/index.ts'
import { SeededRandom, VirtualClock } from '../../../src/utils/index.ts'

const random = new SeededRandom(3)

function peer(): PeerId {
  return peerIdOf(generateKey(random).publicKey)
}

function arrival(from: PeerId): Arrival {
  const fake: unknown = { peer: from }
  return fake as Arrival // only the peer is looked at
}

const never = (): Promise<void> => new Promise(() => undefined)

describe('messages that wait for keys', () => {
  it('go on when the look-up is done, also when it failed', async () => {
    const clock = new VirtualClock()
    const waiting = new WaitingForKeys(clock, new AbortController().signal)
    const resumed: Arrival[] = []
    const from = arrival(peer())
    assert.ok(
      waiting.add(
        from,
        async () => undefined,
        found => resumed.push(found)
      )
    )
    assert.ok(
      waiting.add(
        from,
        () => Promise.reject(new Error('unreachable')),
        found => resumed.push(found)
      )
    )
    await waiting.stopped()
    assert.deepEqual(resumed, [from, from])
  })

  it('go on without the key after a while', async () => {
    const clock = new VirtualClock()
    const waiting = new WaitingForKeys(clock, new AbortController().signal)
    let resumed = 0
    waiting.add(arrival(peer()), never, () => resumed++)
    await clock.advance(LOOKUP_LIMIT_MS - 1)
    assert.equal(resumed, 0)
    await clock.advance(1)
    assert.equal(resumed, 1)
  })

  it('are few of one peer and few in all; places are given back', async () => {
    const clock = new VirtualClock()
    const waiting = new WaitingForKeys(clock, new AbortController().signal)
    const flood = arrival(peer())
    const add = (from: Arrival): boolean => waiting.add(from, never, () => undefined)
    const taken = Array.from({ length: 20 }, () => add(flood)).filter(Boolean).length
    assert.equal(taken, WAITING_FOR_KEYS_PER_PEER)
    assert.ok(add(arrival(peer())))
    const others = Array.from({ length: 100 }, () => add(arrival(peer()))).filter(Boolean).length
    assert.equal(others, MAX_WAITING_FOR_KEYS - WAITING_FOR_KEYS_PER_PEER - 1)
    await clock.advance(LOOKUP_LIMIT_MS)
    assert.ok(add(flood))
  })

  it('are dropped when the actor stops', async () => {
    const controller = new AbortController()
    const waiting = new WaitingForKeys(new VirtualClock(), controller.signal)
    let resumed = 0
    waiting.add(arrival(peer()), never, () => resumed++)
    controller.abort(new Error('stopped'))
    await waiting.stopped()
    assert.equal(resumed, 0)
  })
})
