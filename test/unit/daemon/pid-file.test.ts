import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { claimPidFile } from '../../../src/daemon/pid-file.ts'
import { bytesToUtf8, MemoryFiles, utf8ToBytes } from '../../../src/utils/index.ts'

const PATH = '/home/u/.nunet/run/dms.pid'
const claim = (files: MemoryFiles): Promise<AsyncDisposable> => claimPidFile(files, '/home/u/.nunet', 'dms')

async function textOf(files: MemoryFiles): Promise<string> {
  return bytesToUtf8((await files.read(PATH)) ?? new Uint8Array())
}

describe('the pid file', () => {
  it('names this process while it is held, and is gone afterwards', async () => {
    const files = new MemoryFiles()
    {
      await using _claim = await claim(files)
      assert.equal(await textOf(files), `${process.pid}\n`)
    }
    assert.equal(await files.read(PATH), undefined)
  })

  it('of a running daemon keeps a second one from starting, and says what to do', async () => {
    const files = new MemoryFiles()
    // The test runner that started this process is a running Node.
    await files.writeAtomic(PATH, utf8ToBytes(`${process.ppid}\n`))
    await assert.rejects(claim(files), { code: 'DAEMON_RUNNING', hint: /kill \d+.*--user-dir.*remove/ })
    assert.equal(await textOf(files), `${process.ppid}\n`)
  })

  for (const [what, content] of [
    ['a process that is gone', '2147483646\n'],
    ['nothing', ''],
    ['a number with text behind it', `${process.ppid} x`],
    ['a negative number, which would name a group of processes', '-1'],
    ['zero, which would name our own group', '0'],
    ['a number above all process ids', '99999999999999999999'],
    ['a lot of text', '1'.repeat(1_000_000)]
  ] as const) {
    it(`that holds ${what} is taken over`, async () => {
      const files = new MemoryFiles()
      await files.writeAtomic(PATH, utf8ToBytes(content))
      await using _claim = await claim(files)
      assert.equal(await textOf(files), `${process.pid}\n`)
    })
  }

  it('that another daemon has taken over meanwhile is left to it', async () => {
    const files = new MemoryFiles()
    {
      await using _claim = await claim(files)
      await files.writeAtomic(PATH, utf8ToBytes('4242\n'))
    }
    assert.equal(await textOf(files), '4242\n')
  })

  it('cannot lead out of its directory', async () => {
    await assert.rejects(claimPidFile(new MemoryFiles(), '/home/u/.nunet', '../../evil'))
  })
})
