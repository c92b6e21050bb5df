/**
 * Identities that are no sealed Ed25519 key of this machine, at a running daemon: a Ledger behind its program, an Eternl
 * wallet, a PRISM DID behind a resolver, imported keys. The programs and the resolver are stand-ins that really sign and
 * really answer over HTTP.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { CLI, Lab, type LabNode, NODE_BINARY } from '../../scripts/lab/lab.ts'
import { generateKey, type PrivateKey } from '../../src/lib/crypto/index.ts'
import { didOf } from '../../src/lib/did/index.ts'
import { bytesToHex, systemRandom } from '../../src/utils/index.ts'
import { installWalletPrograms } from '../utils/index.ts'
import { until } from './support.ts'

const SELF = '/dms/node/peers/self'

describe('a Ledger', () => {
  const lab = new Lab()
  let node: LabNode
  let env: Record<string, string>
  let wallet = ''

  before(async () => {
    node = await lab.createNode('alice')
    await node.createIdentities()
    await node.start()
    const folder = installWalletPrograms(join(node.directory, 'bin'))
    // No passphrase anywhere: whatever works here was signed by the wallet.
    env = { PATH: `${folder}:/usr/bin:/bin`, DMS_PASSPHRASE: '' }
  })
  after(() => lab[Symbol.asyncDispose]())

  async function run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await node.try(args, { env })
    assert.equal(code, 0, stderr)
    return stdout.trimEnd()
  }

  it('that is no root hears nothing from the daemon', async () => {
    wallet = await run('key', 'did', 'ledger')
    await run('cap', 'new', 'ledger:org')
    const { code } = await node.try(['actor', 'cmd', '-c', 'ledger:org', '-t', '3s', SELF], { env })
    assert.equal(code, 1)
  })

  it('that is anchored as a root commands the daemon, its token signed on the device', async () => {
    await run('cap', 'anchor', '-c', 'dms', '--root', wallet)
    const reply: unknown = JSON.parse(await run('actor', 'cmd', '-c', 'ledger:org', SELF))
    assert.deepEqual(Object.entries(reply ?? {}).find(([name]) => name === 'id')?.[1], node.peerId)
  })

  it('lets a user in with a grant, and keeps the user to it', async () => {
    await node.run(['cap', 'new', 'guest'])
    const guest = await node.run(['key', 'did', 'guest'])
    const before = await node.try(['actor', 'cmd', '-c', 'guest', '-t', '3s', SELF])
    assert.equal(before.code, 1)
    const grant = await run('cap', 'grant', '-c', 'ledger:org', '--cap', SELF, '--duration', '1h', guest)
    await node.run(['cap', 'anchor', '-c', 'guest', '--provide', grant])
    const reply = await node.run(['actor', 'cmd', '-c', 'guest', SELF])
    assert.match(reply, new RegExp(node.peerId))
    const more = await node.try(['actor', 'cmd', '-c', 'guest', '/dms/node/peers/list'])
    assert.equal(more.code, 1)
    assert.match(more.stderr, /is not authorised to invoke '\/dms\/node\/peers\/list'/)
  })

  it('passes on what it was given, and takes it back', async () => {
    const given = await node.run([
      'cap',
      'grant',
      '-c',
      'dms',
      '--cap',
      '/dms/node',
      '--duration',
      '2h',
      wallet
    ])
    await run('cap', 'anchor', '-c', 'ledger:org', '--provide', given)
    const user = await node.run(['key', 'did', 'guest'])
    const delegated = await run(
      ...['cap', 'delegate', '-c', 'ledger:org', '--cap', '/dms/node/peers', '--duration', '1h', user]
    )
    await node.run(['cap', 'anchor', '-c', 'guest', '--provide', delegated])
    await node.run(['actor', 'cmd', '-c', 'guest', '/dms/node/peers/list'])
    const revocation = await run('cap', 'revoke', '-c', 'ledger:org', delegated)
    await node.run(['cap', 'anchor', '-c', 'dms', '--revoke', revocation.split('\n')[0] ?? ''])
    await until('the daemon has taken the revocation over', async () => {
      const { code } = await node.try(['actor', 'cmd', '-c', 'guest', '-t', '3s', '/dms/node/peers/list'])
      return code === 1
    })
  })

  it('stops with the command: Ctrl-C ends its program and leaves no file', async () => {
    const ready = join(node.directory, 'ready')
    const settings = { FAULT: 'hang', WALLET_READY: ready }
    const folder = installWalletPrograms(join(node.directory, 'hanging'), settings)
    const child = lab.spawn(node.directory, ['key', 'did', 'ledger'], {
      env: { PATH: `${folder}:/usr/bin:/bin` }
    })
    const ended = once(child, 'exit')
    const file = await until('the program has begun', async () =>
      existsSync(ready) ? await readFile(ready, 'utf8') : undefined
    )
    assert.ok(existsSync(dirname(file)))
    child.kill('SIGINT')
    assert.deepEqual(await ended, [130, null])
    assert.equal(existsSync(dirname(file)), false)
  })
})

/** A PRISM resolver on this machine. */
class PrismServer {
  readonly documents = new Map<string, unknown>()
  /** DIDs it was asked for, in order. */
  readonly asked: string[] = []
  /** DIDs it takes requests for and never answers. */
  readonly silent = new Set<string>()
  readonly #server: Server
  readonly #open = new Set<ServerResponse>()
  url = ''

  constructor() {
    this.#server = createServer((request, response) => {
      const did = decodeURIComponent(request.url?.split('/api/dids/')[1] ?? '')
      this.asked.push(did)
      this.#open.add(response)
      if (this.silent.has(did)) return
      const document = this.documents.get(did)
      response.writeHead(document === undefined ? 404 : 200, { 'Content-Type': 'application/did+json' })
      response.end(JSON.stringify(document ?? { error: 'not found' }))
    })
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    this.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  }

  publish(did: string, key: PrivateKey): void {
    const x = Buffer.from(key.publicKey.raw).toString('base64url')
    const method = { id: `${did}#a`, type: 'JsonWebKey2020', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x } }
    this.documents.set(did, { id: did, verificationMethod: [method], authentication: [`${did}#a`] })
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

describe('a PRISM DID', () => {
  const lab = new Lab()
  const prism = new PrismServer()
  let node: LabNode

  before(async () => {
    await prism.start()
    node = await lab.createNode('alice')
    await node.createIdentities()
    await node.run(['config', 'set', 'did.prism_resolver', prism.url])
    await node.start()
  })
  after(async () => {
    await lab[Symbol.asyncDispose]()
    await prism.stop()
  })

  /** A published PRISM DID with its key and context on this machine. */
  async function identity(name: string, digit: string): Promise<string> {
    const did = `did:prism:${digit.repeat(64)}`
    const key = generateKey(systemRandom)
    prism.publish(did, key)
    const said = await node.run(['key', 'import-prism', name, did, bytesToHex(key.toProtobuf())])
    assert.match(said, new RegExp(`^Key name: ${name}$`, 'm'))
    assert.match(said, new RegExp(`^DID: ${did}$`, 'm'))
    assert.equal(said.split('\n').length, 5)
    assert.equal(await node.run(['key', 'did', name]), did)
    await node.run(['cap', 'new', name])
    prism.asked.length = 0
    return did
  }

  it('of a stranger makes the daemon ask nobody', async () => {
    const stranger = await identity('stranger', '5')
    const { code } = await node.try(['actor', 'cmd', '-c', 'stranger', '-t', '3s', SELF])
    assert.equal(code, 1)
    assert.ok(!prism.asked.includes(stranger), prism.asked.join(' '))
  })

  it('of a root commands the daemon, which looks it up once', async () => {
    const acme = await identity('acme', 'a')
    await node.run(['cap', 'anchor', '-c', 'dms', '--root', acme])
    prism.asked.length = 0
    for (let time = 0; time < 2; time++)
      assert.match(await node.run(['actor', 'cmd', '-c', 'acme', SELF]), new RegExp(node.peerId))
    assert.deepEqual(prism.asked, [acme])
  })

  it('of a root lets a user in, whose chain is looked up by the command line and by the daemon', async () => {
    await node.run(['cap', 'new', 'guest'])
    const guest = await node.run(['key', 'did', 'guest'])
    const grant = await node.run(['cap', 'grant', '-c', 'acme', '--cap', SELF, '--duration', '1h', guest])
    await node.run(['cap', 'anchor', '-c', 'guest', '--provide', grant])
    assert.match(await node.run(['actor', 'cmd', '-c', 'guest', SELF]), new RegExp(node.peerId))
  })

  it('whose resolver is silent keeps nobody else waiting', async () => {
    const slow = await identity('slow', 'c')
    await node.run(['cap', 'anchor', '-c', 'dms', '--root', slow])
    prism.silent.add(slow)
    prism.asked.length = 0
    const hanging = node.try(['actor', 'cmd', '-c', 'slow', '-t', '20s', SELF])
    await until('the daemon looks it up', () => prism.asked.includes(slow))
    const { code, ms, stderr } = await node.try(['actor', 'cmd', '-c', 'user', SELF])
    assert.equal(code, 0, stderr)
    assert.ok(ms < 8000, `it took ${Math.round(ms)} ms`)
    const { code: refused } = await hanging
    assert.equal(refused, 1)
  })

  it('keeps its anchors over a restart: their issuers are looked up again', async () => {
    const dms = await node.run(['key', 'did', 'dms'])
    const given = await node.run(['cap', 'grant', '-c', 'acme', '--cap', '/public', '--duration', '1h', dms])
    await node.run(['cap', 'anchor', '-c', 'dms', '--provide', given])
    await node.stop()
    prism.asked.length = 0
    await node.start()
    assert.ok(prism.asked.includes(`did:prism:${'a'.repeat(64)}`))
    const list = await node.run(['cap', 'list', '-c', 'dms'])
    assert.match(list, /provide:\n\t\{"dms":\{"act":"delegate","iss":\{"uri":"did:prism:a/)
    assert.match(await node.run(['actor', 'cmd', '-c', 'acme', SELF]), new RegExp(node.peerId))
  })

  it('is no longer signed for once its key is replaced', async () => {
    const did = await node.run(['key', 'new', '--force', 'acme'])
    assert.match(did, /^did:key:z6Mk/)
    assert.equal(await node.run(['key', 'did', 'acme']), did)
  })
})

describe('an imported key', () => {
  const lab = new Lab()
  after(() => lab[Symbol.asyncDispose]())

  it('comes by standard input, and a key agent forgets the one it replaces', async () => {
    const node = await lab.createNode('alice')
    const [first, second] = [generateKey(systemRandom), generateKey(systemRandom)]
    await node.run(['key', 'import', 'user', bytesToHex(first.toProtobuf())])
    await node.run(['key', 'agent', '--session', String(process.pid)])
    await node.run(['key', 'unlock', 'user'])
    const before = await node.run(['key', 'did', 'user'])
    const child = spawn(NODE_BINARY, [CLI, 'key', 'import', '--force', 'user', '-'], {
      cwd: node.directory,
      env: lab.environment(node.directory),
      stdio: ['pipe', 'ignore', 'inherit']
    })
    // The pipe stays open: one line is enough.
    child.stdin.write(`${bytesToHex(second.toProtobuf())}\n`)
    assert.deepEqual(await once(child, 'exit'), [0, null])
    const after = await node.run(['key', 'did', 'user'])
    assert.notEqual(after, before)
    assert.equal(after, didOf(second.publicKey))
    await node.run(['key', 'agent', '--stop'])
  })
})
