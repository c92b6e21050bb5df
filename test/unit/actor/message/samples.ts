import type { UnsignedEnvelope } from '../../../../src/actor/index.ts'
import { actorIdOf, generateKey, peerIdOf } from '../../../../src/lib/crypto/index.ts'
import { didOf } from '../../../../src/lib/did/index.ts'
import type { Handle } from '../../../../src/types/index.ts'
import { SeededRandom, utf8ToBytes } from '../../../../src/utils/index.ts'

const random = new SeededRandom('messages')
export const aliceKey = generateKey(random)
export const bobKey = generateKey(random)

export const alice: Handle = handleOf(aliceKey, 'root')
export const bob: Handle = handleOf(bobKey, 'root')

export function handleOf(key: typeof aliceKey, inbox: string): Handle {
  const { publicKey } = key
  return { id: actorIdOf(publicKey), did: didOf(publicKey), address: { host: peerIdOf(publicKey), inbox } }
}

export function sample(changes: Partial<UnsignedEnvelope> = {}): UnsignedEnvelope {
  return {
    to: bob,
    behavior: '/public/hello',
    from: alice,
    nonce: 1_735_689_600_123_456_789n,
    options: { expiresAtNs: 1_735_689_630_000_000_001n, replyTo: '/dms/actor/replyto/7', topic: '' },
    message: utf8ToBytes('{"a":1}'),
    capabilities: utf8ToBytes('{}'),
    ...changes
  }
}
