/** Capability files between processes: sealed ones under a running daemon, several writers at once, writers that are killed. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { CLI, Lab, type LabNode, NODE_BINARY } from '../../scripts/lab/lab.ts'
import { generateKey } from '../../src/lib/crypto/index.ts'
import { didOf } from '../../src/lib/did/index.ts'
import { systemRandom } from '../../src/utils/index.ts'
import { until } from './support.ts'

const NO_PASSPHRASE = { env: { DMS_PASSPHRASE: '' } }

function newDid(): string {
  return didOf(generateKey(systemRandom).publicKey)
}

describe('capability files', () => {
  const lab = new Lab()
  let node: LabNode

  before(async () => {
    node = await lab.createNode('sealed')
    await Promise.all([node.run(['cap', 'new', 'user']), node.run(['cap', 'new', '--encrypt', 'dms'])])
    node.userDid = await node.run(['key', 'did', 'user'])
    await node.run(['cap', 'anchor', '-c', 'dms', '--root', node.userDid])
    await node.start()
  })
  after(async () => {
    await node.try(['key', 'agent', '--stop'])
    await lab[Symbol.asyncDispose]()
  })

  const fileOf = (name: string): string => join(node.directory, 'user', 'cap', `${name}.cap`)
  const rootsOf = async (name: string): Promise<string[]> =>
    JSON.parse(await node.run(['cap', 'list', '-c', name, '-o', 'json'])).roots

  it('a daemon works on a sealed context and takes over at once what is anchored in it', async () => {
    assert.match(await readFile(fileOf('dms'), 'utf8'), /^\{"sealed":1,/)
    await node.run(['cap', 'new', 'guest'])
    const asGuest = (): Promise<{ code: number }> =>
      node.try(['actor', 'cmd', '/dms/node/peers/self', '-c', 'guest', '-t', '3s'])
    assert.notEqual((await asGuest()).code, 0, 'nobody let the guest in')
    await node.run(['cap', 'anchor', '-c', 'dms', '--root', await node.run(['key', 'did', 'guest'])])
    await until('the guest is let in', async () => (await asGuest()).code === 0)
    assert.match(await readFile(fileOf('dms'), 'utf8'), /^\{"sealed":1,/)
  })

  it('what several commands and the daemon itself anchor at the same time is all there', async () => {
    const dids = Array.from({ length: 4 }, newDid)
    const byDaemon = newDid()
    const [reply] = await Promise.all([
      node.cmd('/dms/cap/anchor', '--root', '--data', byDaemon),
      ...dids.map(did => node.run(['cap', 'anchor', '-c', 'dms', '--root', did]))
    ])
    assert.equal(reply['OK'], true, JSON.stringify(reply))
    const roots = await rootsOf('dms')
    for (const did of dids) assert.ok(roots.includes(did), `${did} is lost`)
    assert.ok(roots.includes(byDaemon), 'what the daemon wrote is lost')
  })

  it('the daemon starts again on it, and on the plain file after unsealing, with the same anchors', async () => {
    const before = await rootsOf('dms')
    await node.kill()
    await node.start()
    assert.deepEqual((await node.cmd('/dms/cap/list', '-c', 'dms'))['OK'], true)
    assert.match(await node.run(['cap', 'unseal', '-c', 'dms']), /is now plain/)
    assert.deepEqual(await rootsOf('dms'), before)
    await node.stop()
    await node.start()
    assert.match(await node.run(['cap', 'seal', '-c', 'dms']), /is now sealed/)
    assert.deepEqual((await node.cmd('/dms/cap/list', '-c', 'dms'))['OK'], true)
    assert.deepEqual(await rootsOf('dms'), before)
  })

  it('commands killed at any moment leave a context that opens, with everything that was confirmed', async () => {
    await node.run(['cap', 'new', '--encrypt', 'crash'])
    const confirmed: string[] = []
    for (const delayMs of [150, 400, 700, 900, 1000, 1100, 1200, 1300, 1500, 3000]) {
      const did = newDid()
      if (await anchorAndKill('crash', did, delayMs)) confirmed.push(did)
    }
    const roots = await rootsOf('crash')
    for (const did of confirmed) assert.ok(roots.includes(did), `${did} was confirmed and is lost`)
    await node.run(['cap', 'seal', '-c', 'user'])
    for (const delayMs of [600, 1000, 1200]) {
      await killAfter(['cap', 'unseal', '-c', 'user'], delayMs)
      await killAfter(['cap', 'seal', '-c', 'user'], delayMs)
      assert.equal((await node.try(['cap', 'list', '-c', 'user'])).code, 0)
    }
    await node.run(['cap', 'seal', '-c', 'user'])
    for (const name of await readdir(join(node.directory, 'user', 'cap')))
      if (/^user\.cap/.test(name)) assert.ok(!name.endsWith('.tmp'), `${name} is left`)
  })

  it('a key unlocked in the agent opens a sealed context without a passphrase', async () => {
    const locked = await node.try(['cap', 'list', '-c', 'dms'], NO_PASSPHRASE)
    assert.deepEqual([locked.code, locked.stdout], [1, ''])
    assert.equal((await node.try(['key', 'agent', '--session', String(process.pid)])).code, 0)
    await node.run(['key', 'unlock', 'dms'])
    const unlocked = await node.try(['cap', 'list', '-c', 'dms'], NO_PASSPHRASE)
    assert.equal(unlocked.code, 0, unlocked.stderr)
    assert.match(unlocked.stdout, new RegExp(node.userDid))
    const anchored = await node.try(['cap', 'anchor', '-c', 'dms', '--root', newDid()], NO_PASSPHRASE)
    assert.equal(anchored.code, 0, anchored.stderr)
  })

  it('tokens go from one command to the next through a pipe', async () => {
    const token = await node.run([
      'cap',
      'grant',
      '-c',
      'dms',
      '--cap',
      '/public',
      '--duration',
      '1h',
      node.userDid
    ])
    const child = nunet(['cap', 'inspect', '-', '-o', 'json'])
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stdin?.end(token)
    assert.equal(await exitOf(child), 0)
    assert.equal(JSON.parse(output).tokens[0].links[0].subjectName, 'user')
  })

  function nunet(args: readonly string[]): ChildProcess {
    const env = lab.environment(node.directory)
    return spawn(NODE_BINARY, [CLI, ...args], { cwd: node.directory, env, stdio: ['pipe', 'pipe', 'ignore'] })
  }

  function exitOf(child: ChildProcess): Promise<number | null> {
    return new Promise(resolve => child.once('close', code => resolve(code)))
  }

  async function killAfter(args: readonly string[], delayMs: number): Promise<boolean> {
    const child = nunet(args)
    const timer = setTimeout(() => child.kill('SIGKILL'), delayMs)
    const code = await exitOf(child)
    clearTimeout(timer)
    return code === 0
  }

  /** Whether the command had told that it was done. */
  async function anchorAndKill(context: string, did: string, delayMs: number): Promise<boolean> {
    return await killAfter(['cap', 'anchor', '-c', context, '--root', did], delayMs)
  }
})
