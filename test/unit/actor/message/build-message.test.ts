import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildMessage, verifyEnvelope } from '../../../../src/actor/message/index.ts'
import { EMPTY_HANDLE } from '../../../../src/lib/did/index.ts'
import { bytesToUtf8, utf8ToBytes } from '../../../../src/utils/index.ts'
import { alice, aliceKey, bob } from './samples.ts'

type Context = Parameters<typeof buildMessage>[0]['context']

function recordingContext(): { context: Context; requests: unknown[] } {
  const requests: unknown[] = []
  const provide = async (request: unknown) => {
    requests.push(request)
    return utf8ToBytes('{"tok":[]}')
  }
  return { requests, context: { provideInvocation: provide, provideBroadcast: provide } }
}

const base = {
  privateKey: aliceKey,
  from: alice,
  to: bob,
  behavior: '/public/hello',
  payload: { b: 1, a: 2 },
  expiresAtNs: 5n,
  nonce: 9n
}

describe('building a message', () => {
  it('asks for tokens for exactly this behaviour and gives the receiver the right to reply', async () => {
    const { context, requests } = recordingContext()
    const envelope = await buildMessage({ ...base, replyTo: '/private/user/9', context })
    assert.deepEqual(requests, [
      {
        target: bob.did,
        subject: alice.did,
        audience: bob.did,
        expiresAtNs: 5n,
        invoke: ['/public/hello'],
        delegate: ['/private/user/9'],
        tokens: undefined
      }
    ])
    assert.equal(bytesToUtf8(envelope.message), '{"b":1,"a":2}')
    assert.equal(bytesToUtf8(envelope.capabilities), '{"tok":[]}')
    assert.equal(envelope.nonce, 9n)
    assert.ok(verifyEnvelope(envelope, 5n).ok)
  })

  it('delegates nothing when no reply is wanted, and sends no payload when there is none', async () => {
    const { context, requests } = recordingContext()
    const envelope = await buildMessage({ ...base, payload: undefined, context })
    assert.deepEqual((requests[0] as { delegate: unknown }).delegate, [])
    assert.equal(envelope.message.length, 0)
    assert.equal(envelope.options.replyTo, '')
  })

  it('makes broadcast tokens for the topic', async () => {
    const { context, requests } = recordingContext()
    const envelope = await buildMessage({ ...base, to: EMPTY_HANDLE, topic: '/nunet/hello', context })
    assert.deepEqual(requests, [
      { subject: alice.did, topic: '/nunet/hello', expiresAtNs: 5n, broadcast: ['/public/hello'] }
    ])
    assert.equal(envelope.options.topic, '/nunet/hello')
  })

  it('needs no tokens to oneself', async () => {
    const { context, requests } = recordingContext()
    const envelope = await buildMessage({ ...base, to: alice, context })
    assert.deepEqual(requests, [])
    assert.equal(envelope.capabilities.length, 0)
  })

  it('refuses a message without destination and a broadcast to someone', async () => {
    const { context } = recordingContext()
    for (const bad of [{ to: EMPTY_HANDLE }, { to: bob, topic: '/nunet' }, { from: EMPTY_HANDLE }]) {
      await assert.rejects(buildMessage({ ...base, ...bad, context }), { code: 'ACTOR_MESSAGE_INVALID' })
    }
  })
})

describe('the door for the command line', () => {
  it('loads no schema library', async () => {
    const door = fileURLToPath(new URL('../../../../src/actor/message/index.ts', import.meta.url))
    const seen = new Set<string>()
    const packages = new Set<string>()
    const visit = async (file: string): Promise<void> => {
      if (seen.has(file)) return
      seen.add(file)
      const source = await readFile(file, 'utf8')
      for (const [, typeOnly, name = ''] of source.matchAll(
        /^(?:import|export)( type)? [^;]*?from '([^']+)'/gms
      )) {
        if (typeOnly) continue
        if (name.startsWith('.')) await visit(resolve(dirname(file), name))
        else packages.add(name)
      }
    }
    await visit(door)
    assert.ok(seen.size > 10, 'the walk found too little')
    assert.equal(packages.has('zod'), false)
  })
})
