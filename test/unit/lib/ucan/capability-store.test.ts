/** Sealed contexts in the store: who can read and change them, and what a killed writer leaves behind. */

import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { keySigner, type Signer } from '../../../../src/lib/did/index.ts'
import {
  type CapabilityFile,
  type CapabilityStore,
  createCapabilityStore,
  emptyCapabilityFile,
  formatCapabilityFile
} from '../../../../src/lib/ucan/index.ts'
import { isSealed } from '../../../../src/lib/ucan/sealed-file.ts'
import type { FileStore } from '../../../../src/types/index.ts'
import {
  bytesToUtf8,
  MemoryFiles,
  SeededRandom,
  utf8ToBytes,
  VirtualClock
} from '../../../../src/utils/index.ts'
import { identity } from '../parties.ts'

const [alice, bob, carol] = [identity('alice'), identity('bob'), identity('carol')]
const key = keySigner(alice.key)
const withKey = { signer: key }
const empty = emptyCapabilityFile(alice.did)
const full: CapabilityFile = { ...empty, roots: [bob.did] }

let files: MemoryFiles
let clock: VirtualClock
let store: CapabilityStore

beforeEach(() => {
  files = new MemoryFiles()
  clock = new VirtualClock()
  store = storeOver(files)
})

function storeOver(over: FileStore): CapabilityStore {
  return createCapabilityStore(
    { files: over, clock, random: new SeededRandom('store') },
    { directory: '/cap' }
  )
}

async function contentOf(name: string): Promise<Uint8Array> {
  const content = await files.read(`/cap/${name}`)
  assert.ok(content, `${name} is there`)
  return content
}

/** Names of the files in which `text` can be read. */
async function filesShowing(text: string): Promise<string[]> {
  const names = await files.list('/cap')
  const shows = await Promise.all(names.map(async name => Buffer.from(await contentOf(name)).includes(text)))
  return names.filter((_, index) => shows[index])
}

describe('a context that grows too long', () => {
  test('stays as it was, because what is too long could not be read again', async () => {
    await store.save('dms', full)
    const before = await contentOf('dms.cap')
    const reason = { code: 'UCAN_MALFORMED', message: 'not read' }
    const setAside = [{ list: 'provide' as const, text: 'x'.repeat(33_554_432), reason }]
    await assert.rejects(store.save('dms', { ...full, setAside }), { code: 'UCAN_FILE_FULL' })
    await assert.rejects(
      store.update('dms', file => ({ ...file, setAside })),
      { code: 'UCAN_FILE_FULL' }
    )
    assert.deepEqual(await files.list('/cap'), ['dms.cap'])
    assert.deepEqual(await contentOf('dms.cap'), before)
  })
})

describe('a sealed context', () => {
  test('is read and changed with its key only, and stays sealed', async () => {
    await store.save('a', full, { ...withKey, form: 'sealed' })
    assert.equal(await store.isSealed('a'), true)
    assert.equal(await store.exists('a'), true)
    assert.equal(await store.ownerOf('a'), alice.did)
    assert.deepEqual(await store.load('a', withKey), full)
    const change = (file: CapabilityFile): CapabilityFile => ({ ...file, roots: [carol.did] })
    assert.deepEqual((await store.update('a', change, withKey)).roots, [carol.did])
    assert.deepEqual((await store.load('a', withKey))?.roots, [carol.did])
    await store.save('a', empty, withKey)
    assert.deepEqual(await store.load('a', withKey), empty)
    for (const did of [bob.did, carol.did])
      assert.deepEqual(await filesShowing(did), [], 'nothing is readable')
    assert.ok((await files.list('/cap')).every(name => name !== ''))
  })

  test('without a key is an error that names the file and changes nothing', async () => {
    await store.save('a', full, { ...withKey, form: 'sealed' })
    const before = await contentOf('a.cap')
    for (const attempt of [
      () => store.load('a'),
      () => store.update('a', () => empty),
      () => store.save('a', empty),
      () => store.unseal('a', {})
    ])
      await assert.rejects(attempt, {
        code: 'UCAN_FILE_SEALED',
        message: /in '\/cap\/a\.cap'/,
        hint: /DMS_PASSPHRASE/
      })
    assert.deepEqual(await contentOf('a.cap'), before)
  })

  test('with the key of somebody else is refused, for reading and for sealing', async () => {
    const foreign = { signer: keySigner(bob.key) }
    await store.save('a', full)
    await assert.rejects(store.seal('a', foreign), { code: 'UCAN_WRONG_OWNER' })
    await assert.rejects(store.save('a', full, { ...foreign, form: 'sealed' }), { code: 'UCAN_WRONG_OWNER' })
    assert.equal(await store.isSealed('a'), false)
    await store.seal('a', withKey)
    await assert.rejects(store.load('a', foreign), { code: 'UCAN_WRONG_OWNER' })
  })

  test('that was changed or cut is an error naming the file, never half a context', async () => {
    await store.save('a', full, { ...withKey, form: 'sealed' })
    const content = await contentOf('a.cap')
    content[content.length - 20] = (content.at(-20) ?? 0) ^ 1
    await files.writeAtomic('/cap/a.cap', content)
    await assert.rejects(store.load('a', withKey), { code: 'UCAN_FILE_CORRUPT', message: /\/cap\/a\.cap/ })
    await files.writeAtomic('/cap/a.cap', content.subarray(0, 100))
    await assert.rejects(store.ownerOf('a'), { code: 'UCAN_FILE_CORRUPT', message: /\/cap\/a\.cap/ })
  })

  test('asks for the key only when it is needed, and never while the lock is held', async () => {
    let asked = 0
    let isLocked = false
    const watched: FileStore = {
      read: path => files.read(path),
      writeAtomic: (path, content) => files.writeAtomic(path, content),
      list: directory => files.list(directory),
      remove: path => files.remove(path),
      async lock(path, options) {
        const lock = await files.lock(path, options)
        isLocked = true
        const release = async (): Promise<void> => {
          isLocked = false
          await lock.release()
        }
        return { release, [Symbol.asyncDispose]: release }
      }
    }
    const signer = async (): Promise<Signer> => {
      assert.equal(isLocked, false, 'a person may be slow')
      asked++
      return key
    }
    const over = storeOver(watched)
    await over.save('a', empty, { signer })
    await over.load('a', { signer })
    await over.update('a', () => full, { signer })
    assert.equal(asked, 0)
    await over.seal('a', { signer })
    await over.load('a', { signer })
    await over.update('a', () => empty, { signer })
    await over.save('a', full, { signer })
    assert.equal(asked, 4)
  })

  test('sealed by another process in between is not overwritten with plain text', async () => {
    await store.save('a', full)
    let locks = 0
    const slow: FileStore = {
      read: path => files.read(path),
      writeAtomic: (path, content) => files.writeAtomic(path, content),
      list: directory => files.list(directory),
      remove: path => files.remove(path),
      async lock(path, options) {
        if (locks++ === 0) await store.seal('a', withKey)
        return await files.lock(path, options)
      }
    }
    await assert.rejects(
      storeOver(slow).update('a', () => empty, { signer: () => Promise.reject(new Error('not asked')) }),
      { code: 'UCAN_FILE_SEALED' }
    )
    assert.deepEqual(await store.load('a', withKey), full)
  })

  test('that does not change is not written again', async () => {
    await store.save('a', full, { ...withKey, form: 'sealed' })
    const before = await contentOf('a.cap')
    await store.update('a', file => ({ ...file }), withKey)
    assert.deepEqual(await contentOf('a.cap'), before)
    assert.deepEqual(await files.list('/cap'), ['a.cap'])
  })

  test('keeps what several writers add at once', async () => {
    await store.save('a', empty, { ...withKey, form: 'sealed' })
    const dids = Array.from({ length: 20 }, (_, index) => identity(`root ${index}`).did)
    await Promise.all(
      dids.map(did => store.update('a', file => ({ ...file, roots: [...file.roots, did] }), withKey))
    )
    assert.deepEqual((await store.load('a', withKey))?.roots.toSorted(), dids.toSorted())
  })
})

describe('sealing and unsealing a context', () => {
  test('comes back to the byte, however the plain file was written', async () => {
    const odd = `{ "Roots":[{"uri":"${bob.did}"}], "DID":{"uri":"${alice.did}"}, "unknown":1 }`
    await files.writeAtomic('/cap/a.cap', utf8ToBytes(odd))
    assert.equal(await store.seal('a', withKey), true)
    assert.deepEqual((await store.load('a', withKey))?.roots, [bob.did])
    assert.equal(await store.unseal('a', withKey), true)
    assert.equal(bytesToUtf8(await contentOf('a.cap')), odd)
  })

  test('says when there is nothing to do, and when there is nothing at all', async () => {
    await store.save('a', full, { ...withKey, form: 'sealed' })
    assert.equal(await store.seal('a', withKey), false)
    await store.unseal('a', withKey)
    assert.equal(await store.unseal('a', {}), false)
    await assert.rejects(store.seal('b', withKey), { code: 'UCAN_FILE_MISSING' })
    await assert.rejects(store.seal('a', {}), { code: 'UCAN_FILE_SEALED' })
    assert.equal(await store.isSealed('b'), false)
    assert.equal(await store.ownerOf('b'), undefined)
    assert.equal(await store.ownerOf('a'), alice.did)
  })

  test('leaves no plain backup and no plain remains of a killed writer', async () => {
    await store.save('a', full)
    await clock.advance(1000)
    await store.save('a', { ...empty, roots: [bob.did, carol.did] })
    await files.writeAtomic('/cap/a.cap.1700000000.77.abcd1234.tmp', utf8ToBytes(formatCapabilityFile(full)))
    await files.writeAtomic('/cap/ab.cap.1700000000', utf8ToBytes(formatCapabilityFile(full)))
    await files.writeAtomic('/cap/a.cap.1', Uint8Array.of(0xff))
    assert.equal(await store.seal('a', withKey), true)
    assert.deepEqual(await filesShowing(bob.did), ['ab.cap.1700000000'], 'only that of another context')
    const names = await files.list('/cap')
    assert.equal(names.filter(name => /^a\.cap\.\d+$/.test(name)).length, 2)
    assert.ok(isSealed(await contentOf('a.cap.1')), 'one that is not even text is sealed as it is')
    await clock.advance(1000)
    await store.save('a', empty, withKey)
    assert.deepEqual(await filesShowing(bob.did), ['ab.cap.1700000000'])
  })

  test('a new sealed context over a plain one seals what is kept of it', async () => {
    await store.save('a', full)
    await clock.advance(1000)
    await store.save('a', empty, { ...withKey, form: 'sealed' })
    assert.deepEqual(await filesShowing(bob.did), [])
    const backup = (await files.list('/cap')).find(name => name !== 'a.cap')
    await files.writeAtomic('/cap/restored.cap', await contentOf(backup ?? ''))
    assert.deepEqual(await store.load('restored', withKey), full, 'a backup opens under any name')
    await store.save('a', full, { form: 'plain' })
    assert.equal(await store.isSealed('a'), false)
  })

  test('a backup that another process removed meanwhile is no trouble', async () => {
    await store.save('a', full)
    await files.writeAtomic('/cap/a.cap.5', utf8ToBytes('x'))
    const racing: FileStore = {
      read: async path => (path.endsWith('.5') ? undefined : await files.read(path)),
      writeAtomic: (path, content) => files.writeAtomic(path, content),
      list: directory => files.list(directory),
      remove: path => files.remove(path),
      lock: (path, options) => files.lock(path, options)
    }
    assert.equal(await storeOver(racing).seal('a', withKey), true)
  })

  test('killed after any of its writes leaves a context that opens, and can be done again', async () => {
    for (const action of ['seal', 'unseal'] as const) {
      for (let survives = 0; survives < 8; survives++) {
        files = new MemoryFiles()
        store = storeOver(files)
        await store.save('a', empty)
        await clock.advance(1000)
        await store.save('a', full)
        if (action === 'unseal') await store.seal('a', withKey)
        let writes = 0
        const dying: FileStore = {
          read: path => files.read(path),
          async writeAtomic(path, content) {
            if (writes++ >= survives) throw new Error('killed')
            await files.writeAtomic(path, content)
          },
          list: directory => files.list(directory),
          remove: path => files.remove(path),
          lock: (path, options) => files.lock(path, options)
        }
        await storeOver(dying)
          [action]('a', withKey)
          .catch(() => undefined)
        assert.deepEqual(await store.load('a', withKey), full, `${action} killed after ${survives} writes`)
        await store[action]('a', withKey)
        assert.equal(await store.isSealed('a'), action === 'seal')
        assert.deepEqual(await store.load('a', withKey), full)
        if (action === 'seal') assert.deepEqual(await filesShowing(bob.did), [])
      }
    }
  })
})
