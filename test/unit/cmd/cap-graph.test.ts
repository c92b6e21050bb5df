/** `cap graph` from files to what is printed: what counts, what does not, what is left out. */

import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { buildGraph, MAX_EDGES, MAX_NODES } from '../../../src/cmd/cap/graph/build.ts'
import type { GraphEdge } from '../../../src/cmd/cap/graph/types.ts'
import {
  type CapabilityFile,
  createCapabilityStore,
  emptyCapabilityFile,
  type Token
} from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { SeededRandom, systemClock, systemRandom } from '../../../src/utils/index.ts'
import { HOUR_NS, identity, NOW_NS, token } from '../lib/parties.ts'
import { Home } from './harness.ts'

const [USER, DMS, ORG, OTHER] = ['user', 'dms', 'org', 'other'].map(identity) as [
  ReturnType<typeof identity>,
  ReturnType<typeof identity>,
  ReturnType<typeof identity>,
  ReturnType<typeof identity>
]

function fileOf(did: Did, part: Partial<CapabilityFile>): CapabilityFile {
  return { ...emptyCapabilityFile(did), ...part }
}

function build(
  files: Readonly<Record<string, CapabilityFile>>,
  names: ReadonlyMap<Did, string> = new Map(Object.entries(files).map(([name, file]) => [file.did, name]))
) {
  const contexts = Object.entries(files).map(([name, file]) => ({ name, file }))
  return buildGraph(contexts, { nowNs: NOW_NS, random: new SeededRandom('graph'), names })
}

function describeEdge({ kind, from, to, state }: GraphEdge): string {
  const name = (did: Did): string =>
    ['user', 'dms', 'org', 'other'].find(one => identity(one).did === did) ?? did
  return `${kind} ${name(from)} ${name(to)} ${state}`
}

function revocationOf(issuer: ReturnType<typeof identity>, of: Token): Token {
  const { subject, nonce, capabilities, expiresAtNs } = of
  return token(issuer, { action: 'revoke', subject, nonce, capabilities, expiresAtNs })
}

describe('the graph of contexts', () => {
  it('holds each link of each chain once, roots, and what is accepted', () => {
    const first = token(ORG, { subject: USER.did, topics: ['/t'], expiresAtNs: NOW_NS + HOUR_NS })
    const second = token(USER, { subject: DMS.did, topics: ['/t'], chain: first, audience: OTHER.did })
    const { graph, unverified } = build({
      user: fileOf(USER.did, { provide: [first] }),
      dms: fileOf(DMS.did, {
        roots: [USER.did],
        require: [token(USER, { subject: ORG.did })],
        provide: [second]
      })
    })
    assert.deepEqual(graph.edges.map(describeEdge), [
      'grant user dms valid',
      'grant org user valid',
      'root dms user valid',
      'accept dms org valid'
    ])
    assert.deepEqual(graph.edges[1]?.contexts, ['dms', 'user'])
    assert.equal(graph.edges[0]?.audience, OTHER.did)
    assert.deepEqual(
      graph.nodes.map(({ name, role }) => [name, role]),
      [
        ['dms', 'self'],
        ['user', 'root'],
        [undefined, 'organisation']
      ]
    )
    assert.equal(unverified.size, 0)
    assert.deepEqual(graph.leftOut, { nodes: 0, edges: 0 })
  })

  it('marks what has expired, and what any of the contexts knows to be revoked, with all that was built on it', () => {
    const ended = token(ORG, { subject: USER.did, expiresAtNs: NOW_NS - 1n })
    const base = token(ORG, { subject: USER.did })
    const built = token(USER, { subject: DMS.did, chain: base })
    const anchor = token(USER, { subject: ORG.did })
    const { graph } = build({
      user: fileOf(USER.did, { provide: [ended, base] }),
      dms: fileOf(DMS.did, { provide: [built], require: [anchor] }),
      org: fileOf(ORG.did, { revoke: [revocationOf(ORG, base), revocationOf(USER, anchor)] })
    })
    assert.deepEqual(graph.edges.map(describeEdge), [
      'grant org user expired',
      'grant org user revoked',
      'grant user dms revoked',
      'accept dms org revoked'
    ])
  })

  it('shows a revoked delegation of which only the revocation is left', () => {
    const gone = token(ORG, { subject: OTHER.did, capabilities: ['/x'] })
    const { graph } = build({ org: fileOf(ORG.did, { revoke: [revocationOf(ORG, gone)] }) })
    assert.deepEqual(graph.edges.map(describeEdge), ['grant org other revoked'])
    assert.deepEqual(graph.edges[0]?.capabilities, ['/x'])
  })

  it('leaves out and counts tokens that do not verify, wherever they stand', () => {
    const good = token(ORG, { subject: USER.did })
    const forged = { ...good, capabilities: ['/'] }
    const { graph, unverified } = build({
      user: fileOf(USER.did, { provide: [good, forged], require: [forged] })
    })
    assert.equal(graph.edges.length, 1)
    assert.deepEqual([...unverified], [['user', 2]])
  })

  it('does not depend on the order of contexts or anchors', () => {
    const tokens = ['/a', '/b', '/c'].map(name => token(ORG, { subject: USER.did, capabilities: [name] }))
    const files = {
      user: fileOf(USER.did, { provide: tokens }),
      dms: fileOf(DMS.did, { roots: [USER.did, ORG.did] })
    }
    const turned = {
      dms: fileOf(DMS.did, { roots: [ORG.did, USER.did] }),
      user: fileOf(USER.did, { provide: tokens.toReversed() })
    }
    assert.deepEqual(build(turned).graph, build(files).graph)
  })

  it('is bounded, what counts first, and says what it left out', () => {
    const roots = Array.from({ length: MAX_EDGES + 500 }, (_, index) => `did:key:z6Mkroot${index}` as Did)
    const ended = token(ORG, { subject: USER.did, expiresAtNs: NOW_NS - 1n })
    const { graph } = build({ user: fileOf(USER.did, { roots, provide: [ended] }) })
    assert.equal(graph.nodes.length, MAX_NODES)
    assert.equal(graph.edges.length, MAX_NODES - 1)
    assert.ok(graph.edges.every(({ state }) => state === 'valid'))
    const left = roots.length + 1 - graph.edges.length
    assert.deepEqual(graph.leftOut, { nodes: roots.length + 2 - MAX_NODES, edges: left })
    const many = Array.from({ length: MAX_EDGES + 5 }, (_, index) =>
      token(ORG, { subject: USER.did, depth: BigInt(index) })
    )
    const dense = build({ user: fileOf(USER.did, { provide: many }) }).graph
    assert.deepEqual([dense.edges.length, dense.leftOut], [MAX_EDGES, { nodes: 0, edges: 5 }])
  })
})

/** A home with a user who holds a delegation of `org`, and a node that trusts the user. */
async function prepared(): Promise<Home> {
  const home = await Home.create()
  const [user] = [
    await home.addIdentity('user'),
    await home.addIdentity('dms'),
    await home.addIdentity('org')
  ]
  const run = async (...words: string[]): Promise<string> => {
    const { code, out, err } = await home.run(words)
    assert.equal(code, 0, err)
    return out.trim()
  }
  const list = await run('cap', 'grant', '-c', 'org', '--cap', '/public', '--duration', '1h', user.did)
  await run('cap', 'anchor', '-c', 'user', '--provide', list)
  await run('cap', 'anchor', '-c', 'dms', '--root', user.did)
  return home
}

describe('nunet cap graph', () => {
  it('prints all contexts as a tree', async () => {
    await using home = await prepared()
    const { code, out, err } = await home.run(['cap', 'graph'])
    assert.equal(code, 0, err)
    assert.match(out, /\norg \(did:key:\S+\), self\n└─ user \(did:key:\S+\), root\n {5}'\/public', until /)
    assert.match(
      out,
      /\ndms \(did:key:\S+\), self\n└─ user \(did:key:\S+\), root\n {5}everything \(root anchor\)\n/
    )
    assert.equal((await home.run(['cap', 'graph', '--all'])).out.split('\n').length, out.split('\n').length)
  })

  it('prints the contexts that were named, and names of the others all the same', async () => {
    await using home = await prepared()
    const { out } = await home.run(['cap', 'graph', '-c', 'user', '--output', 'json'])
    const { nodes, edges, left_out } = JSON.parse(out)
    assert.deepEqual(
      edges.map((edge: { kind: string }) => edge.kind),
      ['grant']
    )
    assert.deepEqual(
      nodes.map((one: { context: string }) => one.context),
      ['org', 'user']
    )
    assert.deepEqual(left_out, { nodes: 0, edges: 0 })
    // To the digit, as it stands in the token.
    assert.match(out, /"expires": \d{19},/)
    const nobody = await home.run(['cap', 'graph', '-c', 'nobody'])
    assert.equal(nobody.code, 1)
    assert.match(nobody.err, /there is no capability context 'nobody'/)
  })

  it('writes a file that only its owner reads, in the form its name says', async () => {
    await using home = await prepared()
    const { code, out, err } = await home.run(['cap', 'graph', '--file', 'trust.svg'])
    assert.deepEqual([code, out], [0, ''])
    assert.match(err, /^wrote .*trust\.svg\n$/)
    assert.match(await home.read('trust.svg'), /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/)
    assert.equal((await stat(home.join('trust.svg'))).mode & 0o777, 0o600)
    await home.run(['cap', 'graph', '--file', 'trust.txt', '-o', 'json'])
    assert.ok(Array.isArray(JSON.parse(await home.read('trust.txt')).edges))
  })

  it('refuses an unknown form, and --all beside a context', async () => {
    await using home = await prepared()
    const unknown = await home.run(['cap', 'graph', '-o', 'png'])
    assert.equal(unknown.code, 1)
    assert.match(unknown.err, /unknown output format 'png'\nhint: choose 'text', 'svg' or 'json'/)
    assert.equal((await home.run(['cap', 'graph', '--all', '-c', 'user'])).code, 1)
  })

  it('needs no passphrase, and warns of what it does not show', async () => {
    await using home = await prepared()
    await home.run(['cap', 'seal', '-c', 'dms'])
    const store = createCapabilityStore(
      { files: home.files, clock: systemClock, random: systemRandom },
      { directory: home.join('.nunet', 'cap') }
    )
    await store.update('user', file => ({
      ...file,
      provide: file.provide.map(one => ({ ...one, capabilities: ['/'] }))
    }))
    await home.write('.nunet/cap/broken.cap', 'no JSON')
    const without = { environment: { DMS_PASSPHRASE: '' } }
    const { code, out, err } = await home.run(['cap', 'graph'], without)
    assert.equal(code, 0)
    assert.match(err, /context 'dms' is sealed and not shown; name it with --context/)
    assert.match(err, /tokens of context 'user' that do not verify are not shown: 1/)
    assert.match(err, /context 'broken' is left out: /)
    assert.match(out, /^delegations: none/)
    const named = await home.run(['cap', 'graph', '-c', 'dms'])
    assert.match(named.out, /everything \(root anchor\)/)
    assert.notEqual((await home.run(['cap', 'graph', '-c', 'dms'], without)).code, 0)
  })
})
