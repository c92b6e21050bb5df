/**
 * Who may do what at another person's node: members of the organisation hear why they may not, strangers hear
 * nothing, and what the command line anchors counts at once.
 */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type CommandResult, createNetwork, EXAMPLES, Lab, type LabNode } from '../../scripts/lab/lab.ts'
import { until } from './support.ts'

const HELLO = join(EXAMPLES, 'hello-task.yaml')

/** Time a message to a silent node lives, and what the command may take beyond it to start and to derive its key. */
const SHORT = '2s'
const SHORT_MS = 2000
const OVERHEAD_MS = 5000

/** Life of a delegation that the tests see end: it is made early and looked at again in the end. */
const DELEGATION_MS = 15_000

describe("at another person's node", () => {
  const lab = new Lab()
  let alice: LabNode
  let bob: LabNode
  let mallory: LabNode
  let delegatedAt = 0

  before(async () => {
    const [first, second] = await createNetwork(lab, ['alice', 'bob'])
    assert.ok(first && second)
    ;[alice, bob] = [first, second]
    // A stranger: it can reach everybody, but no one vouches for it.
    mallory = await lab.createNode('mallory', { bootstrap: [...alice.addresses, ...bob.addresses] })
    await mallory.createIdentities()
    await mallory.start()
    await until('the stranger is connected', async () =>
      JSON.stringify(await mallory.cmd('/dms/node/peers/list')).includes(bob.peerId)
    )
  })
  after(() => lab[Symbol.asyncDispose]())

  /** A command of the user of `from` for the node of bob. */
  function ask(from: LabNode, behavior: string, ...flags: string[]): Promise<CommandResult> {
    return from.try(['actor', 'cmd', '-c', 'user', '--dest', bob.peerId, behavior, ...flags])
  }

  it('a member may call what is public', async () => {
    const { code, stdout } = await ask(alice, '/public/hello')
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout), { DID: { uri: bob.dmsDid } })
  })

  it('a member that deploys without the right to hears at once which token lacks what', async () => {
    const result = await ask(alice, '/dms/node/deployment/new', '-f', HELLO, '-t', '90s')
    assert.equal(result.code, 1)
    assert.ok(result.ms < 30_000, `it took ${Math.round(result.ms)} ms`)
    // The tree of reasons: what was asked, and below it each token with its link and rule.
    assert.match(
      result.stderr,
      /^Error: did:key:\S+ is not authorised to invoke '\/dms\/node\/deployment\/new'/
    )
    assert.match(result.stderr, /UCAN_NOT_AUTHORIZED/)
    assert.match(
      result.stderr,
      /token( 1 of \d)? \(did:key:\S+ → did:key:\S+\) .*covers '\/[^']+'.* not '\/dms\/node\/deployment\/new'/
    )
    const reply: Record<string, unknown> = JSON.parse(result.stdout)
    assert.deepEqual(Object.keys(reply), ['Error', 'Refusal'])
    const { deployments } = await bob.cmd('/dms/node/deployment/list')
    assert.deepEqual(deployments ?? [], [])
  })

  it('a delegation to a member works', async () => {
    const token = await bob.run([
      ...['cap', 'grant', '-c', 'dms', '--cap', '/dms/node/onboarding'],
      ...['--duration', `${DELEGATION_MS}ms`, alice.userDid]
    ])
    delegatedAt = performance.now()
    await alice.run(['cap', 'anchor', '-c', 'user', '--provide', token])
    const allowed = await ask(alice, '/dms/node/onboarding/status', '-t', SHORT)
    // On a machine that is very slow the delegation may be over before it can be used.
    if (performance.now() - delegatedAt < DELEGATION_MS - SHORT_MS)
      assert.equal(allowed.code, 0, allowed.stderr)
  })

  it('the same over its DID as over its peer id', async () => {
    const result = await alice.try([
      ...['actor', 'cmd', '-c', 'user', '--dest', bob.dmsDid],
      ...['/dms/node/onboarding/offboard', '-t', '60s']
    ])
    assert.equal(result.code, 1)
    assert.match(result.stderr, /not authorised to invoke '\/dms\/node\/onboarding\/offboard'/)
  })

  it('a stranger gets silence, whatever it asks, and no longer than it wants to wait', async () => {
    for (const behavior of ['/public/hello', '/no/such/behaviour']) {
      const words = ['actor', 'invoke', await message(mallory, behavior)]
      const result = await mallory.try(words)
      assert.equal(result.code, 1, behavior)
      assert.equal(result.stdout, '')
      assert.match(result.stderr, /^Error: request failed with status 408: .*request timeout/)
      assert.ok(result.ms < SHORT_MS + OVERHEAD_MS, `it took ${Math.round(result.ms)} ms`)
    }
  })

  async function message(from: LabNode, behavior: string): Promise<string> {
    const words = [
      'actor',
      'msg',
      '-c',
      'user',
      '--dest',
      bob.peerId,
      '--invoke',
      '-t',
      SHORT,
      behavior,
      '{}'
    ]
    return await from.run(words)
  }

  it('a right that is anchored counts in the running daemon at once, and one that is removed counts no more', async () => {
    const logBefore = bob.output
    const root = ['-c', 'dms', '--root', mallory.userDid]
    await bob.run(['cap', 'anchor', ...root])
    const { code, stdout } = await ask(mallory, '/dms/node/peers/self', '-t', '20s')
    assert.equal(code, 0)
    assert.equal(JSON.parse(stdout)['id'], bob.peerId)

    await bob.run(['cap', 'remove', ...root])
    const refused = await ask(mallory, '/dms/node/peers/self', '-t', SHORT)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /status 408/)
    assert.equal(bob.output, logBefore, 'the daemon printed something')
    assert.doesNotMatch(bob.output, /Debugger listening/)
    assert.deepEqual(await debuggersOf(bob), [])
  })

  it('a revoked delegation counts no more', async () => {
    const token = await bob.run([
      ...['cap', 'grant', '-c', 'dms', '--cap', '/dms/node/hardware'],
      ...['--duration', '1h', alice.userDid]
    ])
    await alice.run(['cap', 'anchor', '-c', 'user', '--provide', token])
    assert.equal((await ask(alice, '/dms/node/hardware/spec', '-t', '20s')).code, 0)
    const revocation = await bob.run(['cap', 'revoke', '-c', 'dms', token])
    await bob.run(['cap', 'anchor', '-c', 'dms', '--revoke', revocation])
    assert.equal((await ask(alice, '/dms/node/hardware/spec', '-t', SHORT)).code, 1)
  })

  it('the delegation of before expires, and the caller hears that it has', async () => {
    const refused = await until('the delegation expires', async () => {
      const isOver = performance.now() - delegatedAt > DELEGATION_MS
      return isOver && (await ask(alice, '/dms/node/onboarding/status', '-t', SHORT))
    })
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /^warning: in context 'user': token .* expired at \d{4}-/)
    assert.match(refused.stderr, /not authorised to invoke '\/dms\/node\/onboarding\/status'/)
  })

  /** Ports of node's debugger (9229 and up) that a process listens on. */
  async function debuggersOf(node: LabNode): Promise<string[]> {
    const sockets = await readFile(`/proc/${node.daemon?.pid}/net/tcp`, 'utf8')
    return sockets.split('\n').filter(line => / 0A /.test(line) && /:240D /.test(line)) // 9229
  }
})
