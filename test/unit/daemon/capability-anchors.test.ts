import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CapabilityAnchors } from '../../../src/daemon/capability-anchors.ts'
import { generateKey } from '../../../src/lib/crypto/index.ts'
import { didOf } from '../../../src/lib/did/index.ts'
import { createCapabilityStore, emptyCapabilityFile } from '../../../src/lib/ucan/index.ts'
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
