import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CapabilityAnchors } from '../../../src/daemon/capability-anchors.ts'
import { generateKey } from '../../../src/lib/crypto/index.ts'
import { didOf, keySigner } from '../../../src/lib/did/index.ts'
import {
  createCapabilityContext,
  createCapabilityStore,
  emptyCapabilityFile,
  formatToken,
  type Token
} from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { MemoryFiles, SeededRandom, VirtualClock } from '../../../src/utils/index.ts'
import { MemoryLog } from '../../utils/index.ts'

async function setUp() {
  const [clock, random, log] = [new VirtualClock(), new SeededRandom('anchors'), new MemoryLog()]
  const key = generateKey(random)
  const user = didOf(generateKey(random).publicKey)
  const store = createCapabilityStore({ files: new MemoryFiles(), clock, random }, { directory: '/cap' })
  const deps = { store, clock, random, log }
  return { deps, store, key, user, log, owner: didOf(key.publicKey) }
}

describe('the capability context of a daemon', () => {
  it('is made when it is missing', async () => {
    const { deps, store, key, owner } = await setUp()
    const anchors = await CapabilityAnchors.open(deps, 'dms', key)
    assert.equal(anchors.context.owner, owner)
    assert.equal((await store.load('dms'))?.did, owner)
  })

  it('of another key is refused at the start, and says what to do', async () => {
    const { deps, store, key, user } = await setUp()
    await store.save('dms', emptyCapabilityFile(user))
    await assert.rejects(CapabilityAnchors.open(deps, 'dms', key), {
      code: 'DAEMON_CONTEXT_KEY',
      hint: /nunet cap new dms --force/
    })
  })

  it('takes over what changed in its file, and drops what is gone from it', async () => {
    const { deps, store, key, user } = await setUp()
    const anchors = await CapabilityAnchors.open(deps, 'dms', key)
    await store.update('dms', file => ({ ...file, roots: [user] }))
    await Promise.all([anchors.reload(), anchors.reload()])
    assert.deepEqual(anchors.context.anchors.roots, [user])
    await store.update('dms', file => ({ ...file, roots: [] }))
    await anchors.reload()
    assert.deepEqual(anchors.context.anchors.roots, [])
  })

  it('keeps its anchors when the file was replaced by one of another owner', async () => {
    const { deps, store, key, user } = await setUp()
    const anchors = await CapabilityAnchors.open(deps, 'dms', key)
    await store.save('dms', { ...emptyCapabilityFile(user), roots: [user] })
    await assert.rejects(anchors.reload(), { code: 'DAEMON_CONTEXT_KEY' })
    assert.deepEqual(anchors.context.anchors.roots, [])
  })
})

describe('anchors added to a running daemon', () => {
  const HOUR_NS = 3_600_000_000_000n

  async function running() {
    const setup = await setUp()
    const anchors = await CapabilityAnchors.open(setup.deps, 'dms', setup.key)
    const organisation = generateKey(setup.deps.random)
    const { context } = createCapabilityContext({
      clock: setup.deps.clock,
      random: setup.deps.random,
      owner: didOf(organisation.publicKey),
      signer: keySigner(organisation)
    })
    const grant = (subject: Did) =>
      context.grant({
        action: 'delegate',
        subject,
        topics: [],
        capabilities: ['/public'],
        expiresAtNs: setup.deps.clock.nowNs() + HOUR_NS,
        depth: 0n
      })
    const revoke = async (token: Token): Promise<Token> => {
      const made = await context.revoke(token)
      assert.ok(made.ok)
      return made.value
    }
    return { ...setup, anchors, grant, revoke }
  }

  it('are in the file and in force, beside what others wrote meanwhile', async () => {
    const { anchors, store, user, grant, owner } = await running()
    const power = await grant(owner)
    await store.update('dms', file => ({ ...file, roots: [user] }))
    assert.deepEqual(await anchors.add({ provide: [power] }), { ok: true, value: undefined })
    const file = await store.load('dms')
    assert.deepEqual([file?.roots, file?.provide.map(formatToken)], [[user], [formatToken(power)]])
    assert.deepEqual(
      [anchors.context.anchors.roots, anchors.context.anchors.provide.map(formatToken)],
      [[user], [formatToken(power)]]
    )
  })

  it('tell who listens, unless they are revocations only', async () => {
    const { anchors, user, grant, revoke } = await running()
    let told = 0
    const leave = anchors.onChange(() => told++)
    const token = await grant(user)
    await anchors.add({ revoke: [await revoke(token)] })
    assert.equal(told, 0)
    await anchors.add({ roots: [user] })
    await anchors.reload()
    assert.equal(told, 2)
    leave()
    await anchors.reload()
    assert.equal(told, 2)
  })

  it('end what they revoke, in the file and in force; the longest of several counts', async () => {
    const { anchors, store, owner, grant, revoke, deps } = await running()
    const power = await grant(owner)
    await anchors.add({ provide: [power] })
    const [long, short] = [
      await revoke(power),
      await revoke({ ...power, expiresAtNs: deps.clock.nowNs() + 1000n })
    ]
    for (const each of [short, long, short])
      assert.deepEqual(await anchors.add({ revoke: [each] }), { ok: true, value: undefined })
    const file = await store.load('dms')
    assert.deepEqual([file?.provide, file?.revoke.map(formatToken)], [[], [formatToken(long)]])
    assert.deepEqual(anchors.context.anchors.provide, [])
    assert.equal(verdictOf(await anchors.add({ provide: [power] })), 'UCAN_REVOKED')
  })

  it('revoke also beside revocations in the file that do not hold', async () => {
    const { anchors, store, owner, grant, revoke, deps, log } = await running()
    const powers = [await grant(owner), await grant(owner), await grant(owner)]
    await anchors.add({ provide: powers })
    const [first, second, third] = await Promise.all(powers.map(revoke))
    assert.ok(first && second && third)
    const over = await revoke({ ...(await grant(owner)), expiresAtNs: deps.clock.nowNs() - 1n })
    const forged = { ...first, signature: new Uint8Array(64) }
    await store.update('dms', file => ({ ...file, revoke: [over, forged, second] }))
    await anchors.reload()
    assert.deepEqual(anchors.context.anchors.revoke.map(formatToken), [formatToken(second)])
    const warned = log.entries.filter(({ level }) => level === 'warn').length
    assert.deepEqual(await anchors.add({ revoke: [third] }), { ok: true, value: undefined })
    assert.deepEqual(anchors.context.anchors.revoke.map(formatToken), [second, third].map(formatToken))
    assert.equal(log.entries.filter(({ level }) => level === 'warn').length, warned, 'told once')
    assert.equal(anchors.context.anchors.provide.length, 1)
  })

  it('that do not hold refuse all of them, and nothing is written', async () => {
    const { anchors, store, user, grant, revoke, owner } = await running()
    const good = await grant(owner)
    const foreign = await grant(user)
    const forged = { ...(await revoke(good)), signature: new Uint8Array(64) }
    const before = await store.load('dms')
    const cases: [changes: Parameters<typeof anchors.add>[0], code: string][] = [
      [{ roots: [user], provide: [good, foreign] }, 'UCAN_NOT_FOR_OWNER'],
      [{ require: [good], revoke: [forged] }, 'UCAN_SIGNATURE'],
      [{ revoke: [forged] }, 'UCAN_SIGNATURE'],
      [{ revoke: [good] }, 'UCAN_NOT_REVOCATION']
    ]
    for (const [changes, code] of cases) assert.equal(verdictOf(await anchors.add(changes)), code)
    assert.deepEqual(await store.load('dms'), before)
    assert.deepEqual(anchors.context.anchors.roots, [])
  })

  it('are not written into a file that became another owner’s', async () => {
    const { anchors, store, user, grant, revoke } = await running()
    await store.save('dms', emptyCapabilityFile(user))
    await assert.rejects(anchors.add({ roots: [user] }), { code: 'DAEMON_CONTEXT_KEY' })
    await assert.rejects(anchors.add({ revoke: [await revoke(await grant(user))] }), {
      code: 'DAEMON_CONTEXT_KEY'
    })
    assert.deepEqual((await store.load('dms'))?.roots, [])
  })

  function verdictOf(result: Awaited<ReturnType<CapabilityAnchors['add']>>): string {
    return result.ok ? 'ok' : result.error.code
  }
})
