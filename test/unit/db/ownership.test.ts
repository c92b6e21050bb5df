import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, open, readdir, stat, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../../src/db/index.ts'
import { VirtualClock } from '../../../src/utils/index.ts'
import { MemoryLog, temporaryDirectory } from '../../utils/index.ts'

const deps = { clock: new VirtualClock(), log: new MemoryLog() }
const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url))

/** Starts the writer and hands over its lines until `enough`; then kills it with SIGKILL unless it ended. */
async function runWriter(
  path: string,
  enough: (lines: readonly string[]) => boolean | Promise<boolean>
): Promise<string[]> {
  const child: ChildProcess = spawn(process.execPath, [WRITER, path], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = once(child, 'exit')
  const lines: string[] = []
  assert.ok(child.stdout)
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (await enough(lines)) break
  }
  child.kill('SIGKILL')
  await ended
  return lines
}

describe('the database file', () => {
  it('is readable by its owner only, and so are its log and its directory', async () => {
    await using directory = await temporaryDirectory()
    using db = openDatabase(deps, { path: directory.join('new', 'dms.sqlite') })
    db.onboarding.clear()
    assert.equal((await stat(directory.join('new'))).mode & 0o777, 0o700)
    for (const name of await readdir(directory.join('new'))) {
      assert.equal((await stat(directory.join('new', name))).mode & 0o777, 0o600, name)
    }
  })

  it('is made private when it was not', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms.sqlite')
    openDatabase(deps, { path }).close()
    await chmod(path, 0o644)
    openDatabase(deps, { path }).close()
    assert.equal((await stat(path)).mode & 0o777, 0o600)
  })

  it('has one owner: the second is refused at once and the first goes on', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms.sqlite')
    let second: string[] = []
    const first = await runWriter(path, async lines => {
      if (lines.length === 2) second = await runWriter(path, () => false)
      return lines.length > 20
    })
    assert.deepEqual(second, ['DB_LOCKED'])
    assert.ok(first.length > 20)
  })

  it('has one owner inside one process as well, and is free after close', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms.sqlite')
    const first = openDatabase(deps, { path })
    assert.throws(() => openDatabase(deps, { path }), { code: 'DB_LOCKED', hint: /stop the other node/ })
    first.onboarding.clear()
    assert.throws(() => openDatabase(deps, { path }), { code: 'DB_LOCKED' })
    first.close()
    openDatabase(deps, { path }).close()
  })

  it('keeps every write that returned when its owner is killed, and can be opened at once', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms.sqlite')
    const lines = await runWriter(path, seen => seen.length > 50)
    using db = openDatabase(deps, { path })
    const kept = new Set(db.events.list('a', 0, 100_000).map(event => String(event.sequence)))
    assert.deepEqual(
      lines.slice(1).filter(sequence => !kept.has(sequence)),
      []
    )
    db.events.append({ deploymentId: 'a', atMs: 2, type: 'status', data: {} })
  })

  it('that is no database is refused and left as it is', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms.sqlite')
    await writeFile(path, 'this is a text, not a database '.repeat(200))
    const before = await stat(path)
    assert.throws(() => openDatabase(deps, { path }), { code: 'DB_CORRUPT', hint: /backup/ })
    assert.equal((await stat(path)).size, before.size)
  })

  it('with a damaged page is refused', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms.sqlite')
    const db = openDatabase(deps, { path })
    for (let index = 0; index < 200; index++) {
      db.events.append({ deploymentId: 'a', atMs: 1, type: 'status', data: { text: 'x'.repeat(400) } })
    }
    db.close()
    await using file = await open(path, 'r+')
    for (let page = 2; page < 20; page++)
      await file.write(new Uint8Array(2048).fill(0xff), 0, 2048, page * 4096)
    assert.throws(() => openDatabase(deps, { path }), { code: 'DB_CORRUPT' })
  })

  it('in a place that cannot hold one is refused with the reason', async () => {
    await using directory = await temporaryDirectory()
    await writeFile(directory.join('file'), '')
    assert.throws(() => openDatabase(deps, { path: directory.join('file', 'dms.sqlite') }), {
      code: 'DB_ACCESS'
    })
    await mkdir(directory.join('dms.sqlite'))
    assert.throws(() => openDatabase(deps, { path: directory.join('dms.sqlite') }), { code: 'DB_ACCESS' })
  })
})
