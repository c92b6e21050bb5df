import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { createFileSink, type FileSinkOptions, type LogSink } from '../../../src/observability/index.ts'
import { VirtualClock } from '../../../src/utils/index.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../utils/index.ts'

const DAY_MS = 86_400_000

function setUp(directory: TemporaryDirectory, options: Partial<FileSinkOptions> = {}) {
  const clock = new VirtualClock()
  const errors: unknown[] = []
  const path = directory.join('logs', 'dms.jsonl')
  const sink: LogSink = createFileSink(
    { clock, onError: error => void errors.push(error) },
    { path, maxSizeBytes: 100, maxBackups: 3, maxAgeDays: 0, ...options }
  )
  return { clock, errors, path, sink, names: () => readdir(directory.join('logs')) }
}

describe('the log file', () => {
  it('is made with its directory when the first line comes, private, and appended to', async () => {
    await using directory = await temporaryDirectory()
    const { sink, path } = setUp(directory)
    assert.deepEqual(await readdir(directory.path), [])
    sink.write('one')
    sink.write('two')
    sink.close()
    const again = setUp(directory)
    again.sink.write('three')
    again.sink.close()
    assert.equal(await readFile(path, 'utf8'), 'one\ntwo\nthree\n')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await stat(directory.join('logs'))).mode & 0o777, 0o700)
  })

  it('is put aside when the next line would not fit', async () => {
    await using directory = await temporaryDirectory()
    const { sink, path, names } = setUp(directory)
    sink.write('a'.repeat(60))
    sink.write('b'.repeat(60))
    assert.deepEqual(await names(), ['dms-2026-01-01T00-00-00.000Z.jsonl', 'dms.jsonl'])
    assert.equal(await readFile(path, 'utf8'), `${'b'.repeat(60)}\n`)
    sink.close()
  })

  it('counts what was there before it was opened', async () => {
    await using directory = await temporaryDirectory()
    const { sink, path, names } = setUp(directory)
    await mkdir(directory.join('logs'))
    await writeFile(path, 'x'.repeat(90))
    sink.write('a'.repeat(20))
    assert.equal((await names()).length, 2)
    sink.close()
  })

  it('takes a line that is longer than a file may be', async () => {
    await using directory = await temporaryDirectory()
    const { sink, names } = setUp(directory)
    sink.write('a'.repeat(500))
    assert.deepEqual(await names(), ['dms.jsonl'])
    sink.close()
  })

  it('keeps as many old files as told, the newest, and touches no others', async () => {
    await using directory = await temporaryDirectory()
    const { sink, clock, names } = setUp(directory, { maxBackups: 2 })
    await mkdir(directory.join('logs'))
    for (const other of [
      'dms-notes.jsonl',
      'other-2020-01-01T00-00-00.000Z.jsonl',
      'dms-2020-13-01T00-00-00.000Z.txt'
    ]) {
      await writeFile(directory.join('logs', other), '')
    }
    for (let index = 0; index < 6; index++) {
      sink.write('a'.repeat(90))
      await clock.advance(1000)
    }
    sink.close()
    assert.deepEqual((await names()).sort(), [
      'dms-2020-13-01T00-00-00.000Z.txt',
      'dms-2026-01-01T00-00-04.000Z.jsonl',
      'dms-2026-01-01T00-00-05.000Z.jsonl',
      'dms-notes.jsonl',
      'dms.jsonl',
      'other-2020-01-01T00-00-00.000Z.jsonl'
    ])
  })

  it('removes files that are too old', async () => {
    await using directory = await temporaryDirectory()
    const { sink, clock, names } = setUp(directory, { maxBackups: 0, maxAgeDays: 2 })
    for (let day = 0; day < 5; day++) {
      sink.write('a'.repeat(90))
      await clock.advance(DAY_MS)
    }
    sink.close()
    assert.deepEqual(await names(), [
      'dms-2026-01-03T00-00-00.000Z.jsonl',
      'dms-2026-01-04T00-00-00.000Z.jsonl',
      'dms-2026-01-05T00-00-00.000Z.jsonl',
      'dms.jsonl'
    ])
  })

  it('that cannot be written costs lines, never the program; it is tried again later and told once', async () => {
    await using directory = await temporaryDirectory()
    const { sink, clock, errors, path } = setUp(directory)
    await mkdir(path, { recursive: true })
    sink.write('lost')
    sink.write('lost')
    await clock.advance(5000)
    sink.write('lost')
    assert.deepEqual([errors.length, sink.lostLines], [1, 3])
    await rmdir(path)
    sink.write('lost, it is too early')
    await clock.advance(5000)
    sink.write('kept')
    assert.equal(await readFile(path, 'utf8'), 'kept\n')
    assert.equal(sink.lostLines, 4)
    sink.close()
  })

  it('takes nothing after close, which may happen twice', async () => {
    await using directory = await temporaryDirectory()
    const { sink, path } = setUp(directory)
    sink.write('one')
    sink.close()
    sink[Symbol.dispose]()
    sink.write('two')
    assert.equal(await readFile(path, 'utf8'), 'one\n')
    assert.equal(sink.lostLines, 1)
  })
})
