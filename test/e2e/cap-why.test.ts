/** `cap why` on a running node: what it says is what happens, and its commands, typed as they are printed, mend it. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { CLI, type CommandResult, Lab, type LabNode, NODE_BINARY } from '../../scripts/lab/lab.ts'

const QUESTION = '/dms/node/peers/list'

describe('cap why on a running node', () => {
  const lab = new Lab()
  let node: LabNode
  let bin: string

  before(async () => {
    node = await lab.createNode('alice')
    await node.createIdentities()
    await node.run(['cap', 'new', 'guest'])
    await node.start()
    // The printed commands say `nunet`.
    bin = join(node.directory, 'bin')
    await mkdir(bin)
    await writeFile(join(bin, 'nunet'), `#!/bin/sh\nexec '${NODE_BINARY}' '${CLI}' "$@"\n`, { mode: 0o755 })
  })
  after(() => lab[Symbol.asyncDispose]())

  async function shell(line: string): Promise<void> {
    const environment = lab.environment(node.directory)
    const env = { ...environment, PATH: `${bin}:${environment['PATH']}` }
    await promisify(execFile)('/bin/sh', ['-ec', line], { cwd: node.directory, env })
  }

  /** What really happens when the guest asks the node. */
  function ask(): Promise<CommandResult> {
    return node.try(['actor', 'cmd', '-c', 'guest', QUESTION, '-t', '3s'])
  }

  it('yes means yes: the user is a root anchor', async () => {
    const why = await node.try(['cap', 'why', QUESTION])
    assert.equal(why.code, 0, why.stderr)
    assert.match(why.stdout, /^allowed: user may invoke '\/dms\/node\/peers\/list' on dms\n/)
    assert.equal((await node.try(['actor', 'cmd', '-c', 'user', QUESTION])).code, 0)
  })

  it('no means no, and the printed commands make it a yes that counts at once', async () => {
    const why = await node.try(['cap', 'why', QUESTION, '-c', 'guest'])
    assert.equal(why.code, 3, why.stderr)
    assert.match(why.stdout, /^refused: guest may not invoke/)
    assert.notEqual((await ask()).code, 0)

    const lines = why.stdout.split('\n')
    const commands = lines.filter(
      (line, index) => /^ +run$/.test(lines[index - 1] ?? '') && /^ +nunet /.test(line)
    )
    assert.ok(commands.length > 0, why.stdout)
    for (const command of commands) await shell(command)

    const mended = await node.try(['cap', 'why', QUESTION, '-c', 'guest'])
    assert.equal(mended.code, 0, mended.stdout)
    const answer = await ask()
    assert.equal(answer.code, 0, answer.stderr)
    // Nothing but what was asked for was given.
    assert.equal((await node.try(['cap', 'why', '/dms/node/peers', '-c', 'guest'])).code, 3)
  })

  it('a receiver by its DID and by its peer id is the context that is here', async () => {
    for (const dest of [node.dmsDid, node.peerId]) {
      const { code, stdout } = await node.try(['cap', 'why', QUESTION, '--dest', dest, '--output', 'json'])
      assert.equal(code, 0)
      const { question } = JSON.parse(stdout)
      assert.deepEqual(question.receiver, { did: node.dmsDid, context: 'dms', known: true })
    }
  })

  it('a node that is asked says what it trusts at this moment, to those who may know', async () => {
    const asked = [QUESTION, '-c', 'guest', '--dest', node.peerId, '--ask']
    const told = await node.try(['cap', 'why', ...asked, 'user'])
    assert.equal(told.code, 0, told.stderr)
    assert.match(told.stdout, /^allowed: guest may invoke/)
    // A guest may do one thing, and that is not to see the anchors.
    const refused = await node.try(['cap', 'why', ...asked, 'guest'])
    assert.equal(refused.code, 3)
    assert.match(
      refused.stderr,
      /does not tell its anchors[\s\S]*not authorised to invoke '\/dms\/cap\/list'/
    )
    await node.run(['cap', 'remove', '-c', 'dms', '--root', node.userDid])
    assert.equal((await node.try(['cap', 'why', ...asked, 'user'])).code !== 0, true)
    await node.run(['cap', 'anchor', '-c', 'dms', '--root', node.userDid])
    assert.equal((await node.try(['cap', 'why', ...asked, 'user'])).code, 0)
  })

  it('cap graph draws what has come about', async () => {
    const path = join(node.directory, 'trust.svg')
    await node.run(['cap', 'graph', '--file', path])
    assert.match(await readFile(path, 'utf8'), /^<svg [\s\S]*>\/dms\/node\/peers\/list<[\s\S]*<\/svg>\n$/)
    const text = await node.run(['cap', 'graph'])
    assert.match(
      text,
      /user \(did:key:\S+\), root\n└─ guest \(did:key:\S+\), self\n +'\/dms\/node\/peers\/list'/
    )
  })
})
