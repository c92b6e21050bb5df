/** Keys from elsewhere: what is taken for a private key, what it signs for, and that it is shown to nobody. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { generateKey, type PrivateKey, privateKeyFromProtobuf } from '../../../src/lib/crypto/index.ts'
import { didOf } from '../../../src/lib/did/index.ts'
import { bytesToHex, hexToBytes, systemRandom } from '../../../src/utils/index.ts'
import { Home, MemoryTerminal } from './harness.ts'

const PRISM = `did:prism:${'9'.repeat(64)}`
const SEED = '07'.repeat(32)

function hexOf(key: PrivateKey): string {
  return bytesToHex(key.toProtobuf())
}

describe('nunet key import', () => {
  it('takes a libp2p key of either kind and a raw Ed25519 seed, and prints the DID alone', async () => {
    await using home = await Home.create()
    const ed = generateKey(systemRandom)
    const secp = privateKeyFromProtobuf(hexToBytes(`08021220${SEED}`))
    for (const [name, hex, did] of [
      ['ed', hexOf(ed), didOf(ed.publicKey)],
      ['secp', hexOf(secp), didOf(secp.publicKey)],
      ['seed', bytesToHex(ed.toProtobuf().subarray(4, 36)).toUpperCase(), didOf(ed.publicKey)]
    ] as const) {
      const { code, out, err } = await home.run(['key', 'import', name, hex])
      assert.deepEqual([code, out], [0, `${did}\n`], err)
      assert.equal((await home.run(['key', 'did', name])).out, out)
      assert.equal((await stat(home.join(`.nunet/key/${name}.json`))).mode & 0o777, 0o600)
    }
  })

  it('signs with an imported secp256k1 key', async () => {
    await using home = await Home.create()
    await home.run(['key', 'import', 'secp', `08021220${SEED}`])
    await home.run(['cap', 'new', 'secp'])
    const { did } = await home.addIdentity('other')
    const grant = await home.run(['cap', 'grant', '-c', 'secp', '--cap', '/public', '--duration', '1h', did])
    assert.equal(grant.code, 0, grant.err)
    const anchored = await home.run(['cap', 'anchor', '-c', 'other', '--provide', grant.out])
    assert.equal(anchored.code, 0, anchored.err)
  })

  it('asks before it replaces a key', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    const refused = await home.run(['key', 'import', 'user', SEED])
    assert.deepEqual([refused.code, /key 'user' exists/.test(refused.err)], [1, true])
    const terminal = new MemoryTerminal()
    terminal.canAsk = true
    terminal.answers = ['n']
    assert.match((await home.run(['key', 'import', 'user', SEED], { terminal })).err, /cancelled by user/)
    assert.equal((await home.run(['key', 'did', 'user'])).out, `${did}\n`)
    const replaced = await home.run(['key', 'import', '--force', 'user', SEED])
    assert.notEqual(replaced.out, `${did}\n`)
    assert.equal((await home.run(['key', 'did', 'user'])).out, replaced.out)
  })

  for (const [what, hex] of [
    ['nothing', ''],
    ['no hex', `zz${SEED.slice(2)}`],
    ['with 0x', `0x${SEED}`],
    ['an odd number of digits', SEED.slice(1)],
    ['a seed of 31 bytes', SEED.slice(2)],
    ['a public key', `08011220${SEED}`],
    ['halves that do not belong together', `08011240${SEED}${SEED}`],
    ['a scalar of zero', `08021220${'00'.repeat(32)}`],
    ['a scalar beyond the order', `08021220${'ff'.repeat(32)}`],
    ['an RSA key', `08001220${SEED}`],
    ['an Ethereum key', `087f1220${SEED}`]
  ] as const) {
    it(`does not take ${what}, and repeats none of it`, async () => {
      await using home = await Home.create()
      const { code, out, err } = await home.run(['key', 'import', 'user', hex])
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, /^Error: the private key cannot be read: /)
      assert.doesNotMatch(err, /(07){4}/)
      assert.equal((await home.run(['key', 'list'])).out, '')
    })
  }

  it('asks for the key without echo when a person is there', async () => {
    await using home = await Home.create()
    const terminal = new MemoryTerminal()
    terminal.canAsk = true
    terminal.answers = [SEED]
    const { out } = await home.run(['key', 'import', 'user', '-'], { terminal })
    assert.match(out, /^did:key:z6Mk/)
    assert.deepEqual(terminal.questions, ["Private key for 'user' as hex: "])
  })
})

/** The reader of standard input as its own process: a pipe is what it is for. */
async function readPiped(
  write: (input: NodeJS.WritableStream) => void
): Promise<{ code: unknown; text: string }> {
  const script = `
    import { readSecretLine } from '${new URL('../../../src/cmd/session/standard-input.ts', import.meta.url).href}'
    const cli = { terminal: { canAsk: false }, signal: new AbortController().signal }
    readSecretLine(cli, '').then(
      line => process.stdout.write('got ' + line),
      error => process.stdout.write(error.message)
    )`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  child.stdin.on('error', () => undefined) // the reader may be done before the writer
  write(child.stdin)
  let text = ''
  child.stdout.on('data', chunk => {
    text += chunk
  })
  const [code] = await once(child, 'close')
  return { code, text }
}

describe('a private key on standard input', () => {
  it('is its first line, whether or not the writer ever ends', async () => {
    assert.equal((await readPiped(input => input.end(`${SEED}\nmore\n`))).text, `got ${SEED}`)
    assert.equal((await readPiped(input => input.end(SEED))).text, `got ${SEED}`)
    assert.equal((await readPiped(input => input.write(`${SEED}\n`))).text, `got ${SEED}`)
  })

  it('is bounded, and not nothing', async () => {
    assert.match((await readPiped(input => input.end())).text, /nothing on standard input/)
    assert.match((await readPiped(input => input.end('x'.repeat(1_000_000)))).text, /longer than 4096 bytes/)
  })
})

async function prismServer(
  documents: ReadonlyMap<string, unknown>
): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    const document = documents.get(request.url?.replace('/api/dids/', '') ?? '')
    response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document ?? {}))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

function documentOf(key: PrivateKey): unknown {
  const x = Buffer.from(key.publicKey.raw).toString('base64url')
  const method = { id: '#a', type: 'JsonWebKey2020', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x } }
  return { id: PRISM, verificationMethod: [method] }
}

describe('nunet key import-prism', () => {
  it('has the key sign for the PRISM DID, in five lines that say so', async () => {
    await using home = await Home.create()
    const key = generateKey(systemRandom)
    const { code, out, err } = await home.run(['key', 'import-prism', 'acme', PRISM, hexOf(key)])
    assert.equal(code, 0, err)
    assert.equal(out.trimEnd().split('\n').length, 5)
    assert.match(out, new RegExp(`^Key name: acme\nDID: ${PRISM}$`, 'm'))
    assert.match(
      err,
      /warning: whether did:prism:9+ names this key was not checked: .*no PRISM resolver is configured/
    )
    assert.equal((await home.run(['key', 'did', 'acme'])).out, `${PRISM}\n`)
    assert.deepEqual(JSON.parse(await home.read('.nunet/prism_did_map.json')), { acme: PRISM })
    assert.equal((await stat(home.join('.nunet/prism_did_map.json'))).mode & 0o777, 0o600)
  })

  it('makes contexts of that DID, which grant without a resolver and verify with one', async () => {
    await using home = await Home.create()
    const key = generateKey(systemRandom)
    await using server = await prismServer(new Map([[PRISM, documentOf(key)]]))
    await home.run(['key', 'import-prism', 'acme', PRISM, hexOf(key)])
    await home.run(['cap', 'new', 'acme'])
    assert.equal(JSON.parse(await home.read('.nunet/cap/acme.cap')).did.uri, PRISM)
    const { did } = await home.addIdentity('user')
    const grant = await home.run(['cap', 'grant', '-c', 'acme', '--cap', '/public', '--duration', '1h', did])
    assert.equal(grant.code, 0, grant.err)

    const anchor = ['cap', 'anchor', '-c', 'user', '--provide', grant.out]
    const blind = await home.run(anchor)
    assert.equal(blind.code, 1)
    assert.match(blind.err, /no PRISM resolver is configured.*UCAN_ISSUER_KEY/)
    const environment = { DMS_DID_PRISM_RESOLVER: server.url }
    assert.equal((await home.run(anchor, { environment })).code, 0)
    const delegate = ['cap', 'delegate', '-c', 'user', '--cap', '/public', '--duration', '30m', did]
    const delegated = await home.run(delegate, { environment })
    assert.equal(delegated.code, 0, delegated.err)
    assert.equal((await home.run(delegate)).code, 1)
    // What could not be verified meanwhile is kept, and counts again when it can be.
    await home.run(['cap', 'anchor', '-c', 'user', '--root', PRISM])
    assert.match(await home.read('.nunet/cap/user.cap'), /"aside":\[\{"list":"provide"/)
    assert.equal((await home.run(delegate, { environment })).code, 0)
  })

  it('warns when the document names another key', async () => {
    await using home = await Home.create()
    await using server = await prismServer(new Map([[PRISM, documentOf(generateKey(systemRandom))]]))
    const environment = { DMS_DID_PRISM_RESOLVER: server.url }
    const argv = ['key', 'import-prism', 'acme', PRISM, SEED]
    const { code, err } = await home.run(argv, { environment })
    assert.equal(code, 0)
    assert.match(err, /warning: the document of did:prism:9+ names another key/)
  })

  it('is checked again when a context is made, at the resolver that is named', async () => {
    await using home = await Home.create()
    const { key } = await home.addIdentity('acme', { context: false })
    await home.write('.nunet/prism_did_map.json', JSON.stringify({ acme: PRISM }))
    const quiet = await home.run(['cap', 'new', 'acme'])
    assert.deepEqual([quiet.code, quiet.err], [0, ''])
    assert.match(quiet.out, new RegExp(`for ${PRISM}$`, 'm'))
    await using server = await prismServer(new Map([[PRISM, documentOf(key)]]))
    const good = await home.run(['cap', 'new', '--force', '--prism-url', server.url, 'acme'])
    assert.deepEqual([good.code, good.err], [0, ''])
    await using empty = await prismServer(new Map())
    const unknown = await home.run(['cap', 'new', '--force', '--prism-url', empty.url, 'acme'])
    assert.equal(unknown.code, 0)
    assert.match(unknown.err, /warning: whether did:prism:9+ names this key was not checked: .*answers 404/)
    const sealed = await home.run(['cap', 'new', '--force', '--encrypt', 'acme'])
    assert.deepEqual([sealed.code, sealed.err], [0, ''])
    assert.equal((await home.run(['cap', 'list', '-c', 'acme'])).code, 0)
  })

  it('says nothing when the document names the key', async () => {
    await using home = await Home.create()
    const key = generateKey(systemRandom)
    await using server = await prismServer(new Map([[PRISM, documentOf(key)]]))
    const environment = { DMS_DID_PRISM_RESOLVER: server.url }
    const { err } = await home.run(['key', 'import-prism', 'acme', PRISM, hexOf(key)], { environment })
    assert.equal(err, '')
  })

  it('ends with the next key of that name', async () => {
    await using home = await Home.create()
    await home.addIdentity('acme')
    await home.write('.nunet/prism_did_map.json', JSON.stringify({ acme: PRISM }))
    assert.equal((await home.run(['key', 'did', 'acme'])).out, `${PRISM}\n`)
    const { out } = await home.run(['key', 'import', '--force', 'acme', SEED])
    assert.match(out, /^did:key:/)
    assert.equal((await home.run(['key', 'did', 'acme'])).out, out)
  })

  for (const did of ['did:key:z6Mk', 'did:prism', `${PRISM}:CgAQ`, 'prism', '']) {
    it(`takes no other DID: '${did.slice(0, 24)}'`, async () => {
      await using home = await Home.create()
      const { code, out } = await home.run(['key', 'import-prism', 'acme', did, SEED])
      assert.deepEqual([code, out], [1, ''])
      assert.equal((await home.run(['key', 'list'])).out, '')
    })
  }
})
