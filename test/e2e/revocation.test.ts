/**
 * An organisation takes a member's token back with one command: running nodes of two organisations refuse it within
 * seconds and say why, one that was off learns it when it starts, and no restart forgets it.
 */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type CommandResult, Lab, type LabNode, NETWORK_CAPABILITIES } from '../../scripts/lab/lab.ts'
import { until } from './support.ts'

/** Gossip and the writing of a file, on a machine that is busy. Milliseconds. */
const SECONDS_MS = 20_000

describe('a member of one of two organisations', () => {
  const lab = new Lab()
  let office: LabNode
  let bob: LabNode
  let carol: LabNode
  let dave: LabNode
  let membership = ''
  let revocation = ''

  before(async () => {
    const nodes = await Promise.all(['office', 'bob', 'carol', 'dave'].map(name => lab.createNode(name)))
    const [first, second, third, fourth] = nodes
    assert.ok(first && second && third && fourth)
    ;[office, bob, carol, dave] = [first, second, third, fourth]
    await Promise.all(nodes.map(node => node.createIdentities()))
    // The keys of the organisations lie with the office of the one and with bob, who runs the other.
    await Promise.all([office.run(['cap', 'new', 'acme']), bob.run(['cap', 'new', 'beta'])])
    const acme = await office.run(['key', 'did', 'acme'])
    const beta = await bob.run(['key', 'did', 'beta'])
    await Promise.all(nodes.map(node => accept(node, [acme, beta])))
    const tokens = await Promise.all([
      grant(office, 'acme', office),
      grant(bob, 'beta', bob),
      grant(office, 'acme', carol),
      grant(bob, 'beta', dave)
    ])
    await Promise.all(nodes.map((node, index) => use(node, tokens[index] ?? '')))
    membership = tokens[2] ?? ''
    await office.start()
    for (const node of [bob, carol, dave]) await node.writeConfig(office.addresses)
    await Promise.all([bob.start(), carol.start()])
  })
  after(() => lab[Symbol.asyncDispose]())

  /** What an organisation gives a member: to its user, who passes it on to the node. */
  async function grant(of: LabNode, organisation: string, to: LabNode): Promise<string> {
    return await of.run([
      'cap',
      'grant',
      '-c',
      organisation,
      ...NETWORK_CAPABILITIES,
      '--duration',
      '24h',
      to.userDid
    ])
  }

  async function accept(node: LabNode, organisations: readonly string[]): Promise<void> {
    for (const did of organisations) {
      const token = await node.run([
        'cap',
        'grant',
        '-c',
        'user',
        ...NETWORK_CAPABILITIES,
        '--duration',
        '24h',
        did
      ])
      await node.run(['cap', 'anchor', '-c', 'dms', '--require', token])
    }
  }

  async function use(node: LabNode, token: string): Promise<void> {
    await node.run(['cap', 'anchor', '-c', 'user', '--provide', token])
    const passed = await node.run([
      'cap',
      'delegate',
      '-c',
      'user',
      ...NETWORK_CAPABILITIES,
      '--duration',
      '23h',
      node.dmsDid
    ])
    await node.run(['cap', 'anchor', '-c', 'dms', '--provide', passed])
  }

  function hello(to: LabNode): Promise<CommandResult> {
    return carol.try(['actor', 'cmd', '-c', 'user', '--dest', to.peerId, '/public/hello', '-t', '15s'])
  }

  function assertTold({ code, stderr, stdout }: CommandResult): void {
    assert.equal(code, 1, stdout)
    assert.match(stderr, /UCAN_REVOKED/)
    assert.match(stderr, /token \d of \d \(did:key:\S+ → did:key:\S+\) was revoked by its issuer/)
  }

  async function knows(node: LabNode): Promise<boolean> {
    return Number((await node.cmd('/dms/cap/revocation/status'))['Count']) > 0
  }

  it('is let in by the nodes of both', async () => {
    for (const node of [office, bob]) {
      const { code, stderr } = await hello(node)
      assert.equal(code, 0, stderr)
    }
  })

  it('is refused with the reason within seconds after its token was taken back', async () => {
    await until('the nodes know each other', async () =>
      JSON.stringify(await office.cmd('/dms/node/peers/list')).includes(bob.peerId)
    )
    const pids = [office, bob, carol].map(node => node.daemon?.pid)
    const done = await office.try(['cap', 'revoke', '-c', 'acme', '--broadcast', '--via', 'user', membership])
    assert.equal(done.code, 0, done.stderr)
    assert.match(done.stdout, /^\{"dms":\{"act":"revoke",.*\}\n$/)
    // Bob at least: carol's own node can no longer answer as a member.
    assert.match(done.stderr, /The node has the revocation; [12] other nodes? ha/)
    revocation = done.stdout.trim()
    for (const node of [office, bob, carol]) await until('the node knows', () => knows(node), SECONDS_MS)
    for (const node of [office, bob]) assertTold(await hello(node))
    assert.deepEqual(
      [office, bob, carol].map(node => node.daemon?.pid),
      pids,
      'nobody was restarted'
    )
  })

  it('is refused by a node that was off as soon as that has met another', async () => {
    await dave.start()
    await until('the node knows', () => knows(dave), SECONDS_MS)
    assertTold(await hello(dave))
  })

  it('is refused after a power cut as well', async () => {
    await bob.kill()
    await bob.start()
    assertTold(await hello(bob))
    const file = await readFile(join(bob.directory, 'user', 'cap', 'dms.cap'), 'utf8')
    assert.ok(file.includes(revocation))
  })

  it('shows in the lists of the nodes, with its digits, and with how old the knowledge is', async () => {
    const list = await bob.run(['actor', 'cmd', '/dms/cap/list', '--context', 'user'])
    const exp = /"exp":(\d{19})/.exec(revocation)?.[1] ?? ''
    assert.ok(list.includes(`"exp": ${exp}`), 'each digit of the expiry')
    const shown = JSON.parse(await bob.run(['cap', 'revocations', '--output', 'json']))
    assert.equal(shown.source, 'node')
    assert.equal(shown.revocations[0].subject, carol.userDid)
    const text = await bob.run(['cap', 'revocations'])
    assert.match(text, /^1 revocation, (current|known as of )/)
    assert.match(
      text,
      /did:key:\S+ took back from did:key:\S+\n {4}\/dms\/deployment, \/public, \/broadcast, until/
    )
    const doctor = await bob.try(['doctor'])
    assert.match(doctor.stdout, /revocations\s+1 in force/)
  })

  it('is no matter of who is asked: anchors by message are in the file and in force', async () => {
    const token = await bob.run([
      ...['cap', 'grant', '-c', 'dms', '--cap', '/dms/node/hardware'],
      ...['--duration', '1h', dave.userDid]
    ])
    const cap = (name: string, ...flags: string[]) => bob.cmd(`/dms/cap/${name}/anchor`, ...flags)
    const done = { OK: true, Error: '' }
    assert.deepEqual(await cap('require', '--token', token), done)
    assert.deepEqual(await cap('root', '--did', dave.userDid), done)
    const file = await readFile(join(bob.directory, 'user', 'cap', 'dms.cap'), 'utf8')
    assert.ok(file.includes(token.slice(8, -2)) && file.includes(dave.userDid))
    const asked = await dave.try([
      ...['actor', 'cmd', '-c', 'user', '--dest', bob.peerId, '/dms/node/peers/self', '-t', '15s']
    ])
    assert.equal(asked.code, 0, asked.stderr)
  })

  it('costs its own node the token; the others ask each other as before', async () => {
    const { Provide } = await carol.cmd('/dms/cap/list')
    assert.deepEqual(Provide, {})
    const asked = await dave.try([
      'actor',
      'cmd',
      '-c',
      'user',
      '--dest',
      bob.peerId,
      '/public/hello',
      '-t',
      '15s'
    ])
    assert.equal(asked.code, 0, asked.stderr)
  })

  it('a node that is off says what its file says, and a revocation that cannot be sent says what to do', async () => {
    await Promise.all([dave.stop(), office.stop()])
    const offline = await dave.try(['cap', 'revocations'])
    assert.equal(offline.code, 0)
    assert.match(offline.stdout, /^1 revocation\n/)
    assert.match(offline.stderr, /The node does not run/)
    const failed = await office.try(['cap', 'broadcast', revocation])
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /^Error: the revocation was not sent: .*\nhint: .*nunet cap broadcast/)
    const wrong = await office.try(['cap', 'broadcast', membership])
    assert.match(wrong.stderr, /^Error: this is no revocation\nhint: /)
  })
})
