import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { FileStore } from '../../../src/types/index.ts'
import {
  childPath,
  createSystemFiles,
  fileError,
  isRunning,
  MemoryFiles,
  SeededRandom,
  systemClock,
  systemRandom,
  utf8ToBytes,
  VirtualClock
} from '../../../src/utils/index.ts'
import { temporaryDirectory } from '../../utils/index.ts'

/** Id of a process that has ended. */
function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '0']).pid
}

/** What every `FileStore` does. */
function fileStoreContract(name: string, create: () => FileStore): void {
  describe(`files ${name}`, () => {
    it('are written, replaced, read, listed and removed', async () => {
      await using directory = await temporaryDirectory()
      const files = create()
      const path = directory.join('new', 'deep', 'a')
      assert.equal(await files.read(path), undefined)
      assert.deepEqual(await files.list(directory.join('new', 'deep')), [])
      await files.writeAtomic(path, utf8ToBytes('one'))
      await files.writeAtomic(path, utf8ToBytes('two'))
      await files.writeAtomic(directory.join('new', 'deep', 'B'), new Uint8Array())
      assert.deepEqual(await files.read(path), utf8ToBytes('two'))
      assert.deepEqual(await files.list(directory.join('new', 'deep')), ['B', 'a'])
      await files.remove(path)
      await files.remove(path)
      assert.equal(await files.read(path), undefined)
    })

    it('are not shared with whoever wrote or read them', async () => {
      await using directory = await temporaryDirectory()
      const files = create()
      const content = utf8ToBytes('one')
      await files.writeAtomic(directory.join('a'), content)
      content[0] = 0
      const read = await files.read(directory.join('a'))
      assert.deepEqual(read, utf8ToBytes('one'))
      read?.fill(0)
      assert.deepEqual(await files.read(directory.join('a')), utf8ToBytes('one'))
    })

    it('are locked by one at a time; release may happen twice', async () => {
      await using directory = await temporaryDirectory()
      const files = create()
      const path = directory.join('a')
      let inside = 0
      let most = 0
      const section = async (): Promise<void> => {
        await using _lock = await files.lock(path)
        most = Math.max(most, ++inside)
        await new Promise(resolve => setImmediate(resolve))
        inside--
      }
      await Promise.all([section(), section(), section()])
      assert.equal(most, 1)
      const lock = await files.lock(path)
      await lock.release()
      await lock.release()
      const again = await files.lock(path)
      await again.release()
    })

    it('are no longer waited for after an abort, and the lock is not lost', async () => {
      await using directory = await temporaryDirectory()
      const files = create()
      const path = directory.join('a')
      const first = await files.lock(path)
      const controller = new AbortController()
      const given = assert.rejects(files.lock(path, { signal: controller.signal }), /stop/)
      controller.abort(new Error('stop'))
      await given
      await first.release()
      await (await files.lock(path)).release()
    })
  })
}

fileStoreContract('on the disk', () => createSystemFiles({ clock: systemClock, random: systemRandom }))
fileStoreContract('in memory', () => new MemoryFiles())

describe('files on the disk', () => {
  const files = createSystemFiles({ clock: systemClock, random: systemRandom })

  it('are private whatever the umask, in a private directory, and leave nothing beside them', async () => {
    await using directory = await temporaryDirectory()
    const before = process.umask(0o777)
    try {
      await mkdir(directory.join('d'), { mode: 0o700 }).catch(() => undefined)
      await chmod(directory.join('d'), 0o700)
      await files.writeAtomic(directory.join('d', 'a'), utf8ToBytes('x'))
    } finally {
      process.umask(before)
    }
    await files.writeAtomic(directory.join('new', 'b'), utf8ToBytes('x'), { mode: 0o644 })
    assert.equal((await stat(directory.join('d', 'a'))).mode & 0o777, 0o600)
    assert.equal((await stat(directory.join('new', 'b'))).mode & 0o777, 0o644)
    assert.equal((await stat(directory.join('new'))).mode & 0o777, 0o700)
    assert.deepEqual(await readdir(directory.join('d')), ['a'])
  })

  it('that cannot be written keep the old content and say why', async () => {
    await using directory = await temporaryDirectory()
    await writeFile(directory.join('file'), 'old')
    await assert.rejects(files.writeAtomic(directory.join('file', 'a'), utf8ToBytes('x')), {
      code: 'FILE_ACCESS',
      message: /cannot write '.*': a file is where its directory should be/
    })
    await mkdir(directory.join('dir'))
    await assert.rejects(files.writeAtomic(directory.join('dir'), utf8ToBytes('x')), {
      message: /it is a directory/
    })
    await assert.rejects(files.read(directory.join('dir')), { message: /cannot read/ })
    assert.equal(await readFile(directory.join('file'), 'utf8'), 'old')
    assert.deepEqual((await readdir(directory.path)).sort(), ['dir', 'file'])
  })

  it('say in words what the system says in codes', () => {
    const { message, hint, details } = fileError(
      'write',
      '/x',
      Object.assign(new Error('x'), { code: 'ENOSPC' })
    )
    assert.equal(message, "cannot write '/x': the disk is full")
    assert.match(hint ?? '', /free some space/)
    assert.deepEqual(details, { path: '/x', code: 'ENOSPC' })
    assert.equal(fileError('read', '/x', new Error('x')).message, "cannot read '/x': unknown error")
  })

  for (const content of [`${deadProcess()}\n`, `${deadProcess()} 0123456789abcdef\n`]) {
    it(`take over the lock of a process that died: ${content.includes(' ') ? 'ours' : 'with its id only'}`, async () => {
      await using directory = await temporaryDirectory()
      await writeFile(directory.join('a.lock'), content)
      const lock = await files.lock(directory.join('a'))
      assert.match(await readFile(directory.join('a.lock'), 'utf8'), new RegExp(`^${process.pid} `))
      await lock.release()
      assert.deepEqual(await readdir(directory.path), [])
    })
  }

  it('give a stale lock to one only, however many want it', async () => {
    await using directory = await temporaryDirectory()
    await writeFile(directory.join('a.lock'), `${deadProcess()} 0123456789abcdef\n`)
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        await using _lock = await files.lock(directory.join('a'))
        most = Math.max(most, ++inside)
        await new Promise(resolve => setImmediate(resolve))
        inside--
      })
    )
    assert.equal(most, 1)
    assert.deepEqual(await readdir(directory.path), [])
  })

  it('report a lock that a living process keeps', async () => {
    await using directory = await temporaryDirectory()
    const clock = new VirtualClock()
    const slow = createSystemFiles({ clock, random: new SeededRandom(1) })
    await writeFile(directory.join('a.lock'), `${process.ppid} 00\n`)
    let error: unknown
    const wait = slow.lock(directory.join('a')).catch(reason => {
      error = reason
    })
    while (error === undefined) await clock.advance(1000)
    await wait
    assert.ok(error instanceof Error)
    assert.match(error.message, new RegExp(`is locked by process ${process.ppid}$`))
  })
})

describe('a process', () => {
  it('is known to run or not', () => {
    assert.equal(isRunning(process.pid), true)
    assert.equal(isRunning(1), true)
    assert.equal(isRunning(deadProcess()), false)
  })
})

describe('a name from outside', () => {
  it('becomes a path only inside its directory', () => {
    assert.equal(childPath('/d', 'a.json'), '/d/a.json')
    for (const name of ['', '.', '..', 'a/b', '../a', 'a\\b', 'a\0', '/etc/passwd']) {
      assert.throws(() => childPath('/d', name), { code: 'FILE_ACCESS' }, JSON.stringify(name))
    }
  })
})
