/** What the kernel is asked, on this machine and where it answers otherwise. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { connect, createServer, Socket } from 'node:net'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { createSystemGuard, openSystemGuard } from '../../../src/key-agent/system-guard.ts'
import { needs, temporaryDirectory } from '../../utils/index.ts'
import { OWN_UID } from './support.ts'

/** A C library that answers as told. */
const library = (
  answers: { getsockopt?: number; length?: number; dumpable?: number; set?: number } = {}
) => ({
  getsockopt: (_fd: number, _level: number, _name: number, _value: Uint8Array, length: Uint32Array) => {
    length[0] = answers.length ?? 12
    return answers.getsockopt ?? 0
  },
  prctl: (option: number) => (option === 4 ? (answers.set ?? 0) : (answers.dumpable ?? 0)),
  setrlimit: () => 0,
  syscall: () => 0
})

/** Both ends of a Unix socket. */
async function pair(path: string): Promise<{ here: Socket; there: Socket } & AsyncDisposable> {
  const server = createServer()
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve))
  await new Promise<void>(resolve => server.listen(path, resolve))
  const here = connect(path)
  const there = await accepted
  return {
    here,
    there,
    [Symbol.asyncDispose]: async () => {
      here.destroy()
      there.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}

describe('the system guard', () => {
  it('names the user at the other end, from both ends', async () => {
    await using directory = await temporaryDirectory()
    await using ends = await pair(directory.join('s'))
    const guard = await openSystemGuard()
    assert.deepEqual([guard.peerUid(ends.here), guard.peerUid(ends.there)], [OWN_UID, OWN_UID])
  })

  it('names a user who is another', needs('root'), async () => {
    await using directory = await temporaryDirectory()
    await chmod(directory.path, 0o755)
    const path = directory.join('s')
    const server = createServer()
    const accepted = new Promise<Socket>(resolve => server.once('connection', resolve))
    await new Promise<void>(resolve => server.listen({ path, writableAll: true }, resolve))
    const program = `require('node:net').connect(${JSON.stringify(path)}).resume()`
    const other = execFile(process.execPath, ['-e', program], { uid: 65_534, gid: 65_534, cwd: '/' })
    const socket = await accepted
    assert.equal((await openSystemGuard()).peerUid(socket), 65_534)
    socket.destroy()
    await new Promise(resolve => other.once('exit', resolve))
    await new Promise(resolve => server.close(resolve))
  })

  it('names nobody where the system does not, and for a socket that is closed', async () => {
    await using directory = await temporaryDirectory()
    await using ends = await pair(directory.join('s'))
    for (const guard of [
      createSystemGuard(library({ getsockopt: -1 })),
      createSystemGuard(library({ length: 4 }))
    ]) {
      assert.throws(() => guard.peerUid(ends.here), { code: 'KEY_AGENT_UNSAFE' })
    }
    const guard = await openSystemGuard()
    assert.throws(() => guard.peerUid(new Socket()), { code: 'KEY_AGENT_UNSAFE' })
    ends.here.destroy()
    assert.throws(() => guard.peerUid(ends.here), { code: 'KEY_AGENT_UNSAFE' })
  })

  it('keeps the memory of the process from being dumped or read', async () => {
    const module = new URL('../../../src/key-agent/system-guard.ts', import.meta.url)
    const program = `
      import { readFileSync, statSync } from 'node:fs'
      const { openSystemGuard } = await import(${JSON.stringify(module.href)})
      const guard = await openSystemGuard()
      guard.protectMemory()
      guard.isolateDescriptors()
      console.log(readFileSync('/proc/self/limits', 'utf8').match(/core file size +(\\d+)/)[1])
    `
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    assert.equal(stdout.trim(), '0')
  })

  it('does not go on where memory cannot be protected', () => {
    assert.throws(() => createSystemGuard(library({ set: -1 })).protectMemory(), {
      code: 'KEY_AGENT_UNSUPPORTED'
    })
    assert.throws(() => createSystemGuard(library({ dumpable: 1 })).protectMemory(), {
      code: 'KEY_AGENT_UNSUPPORTED'
    })
    createSystemGuard(library()).protectMemory()
  })

  it('says so where nobody can be named at all', async () => {
    await assert.rejects(openSystemGuard('darwin'), { code: 'KEY_AGENT_UNSUPPORTED', message: /needs Linux/ })
  })
})
