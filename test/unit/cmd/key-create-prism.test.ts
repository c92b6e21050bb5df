/** Creating a PRISM DID at a service that behaves as the published interface of NeoPRISM says. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { didOfPrismOperation } from '../../../src/lib/did/index.ts'
import { hexToBytes, VirtualClock } from '../../../src/utils/index.ts'
import { Home, type Outcome } from './harness.ts'

const TRANSACTION = 'ab'.repeat(32)

/** Reads the signed operation with a protobuf reader of its own: nothing of the writer is used. */
function fieldsOf(bytes: Uint8Array): Map<number, (Uint8Array | number)[]> {
  const fields = new Map<number, (Uint8Array | number)[]>()
  let at = 0
  const varint = (): number => {
    let [value, shift] = [0, 0]
    for (;;) {
      const byte = bytes[at++] ?? assert.fail('short')
      value |= (byte & 0x7f) << shift
      shift += 7
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const length = varint()
    const value = (tag & 7) === 2 ? bytes.subarray(at, at + length) : length
    if ((tag & 7) === 2) at += length
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value])
  }
  return fields
}

function bytesAt(bytes: Uint8Array, ...path: number[]): Uint8Array {
  return path.reduce((found, field) => {
    const value = fieldsOf(found).get(field)?.[0]
    return value instanceof Uint8Array ? value : assert.fail(`no field ${field}`)
  }, bytes)
}

class NeoPrism implements AsyncDisposable {
  readonly requests: string[] = []
  readonly operations: Uint8Array[] = []
  status = 200
  isOld = false
  /** Looks at a DID before it shows. */
  confirmations = 0
  readonly #server = createServer((request, response) => {
    this.requests.push(`${request.method} ${request.url}`)
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
    }
    let text = ''
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      const path = this.isOld ? '/api/signed-operation-submissions' : '/api/submissions/signed-operations'
      if (request.method === 'POST' && request.url === path) {
        if (this.status !== 200) return answer(this.status, { message: 'no\u001b[2J' })
        const [hex = ''] = JSON.parse(text).signed_operations
        this.operations.push(hexToBytes(hex))
        return answer(200, { tx_id: TRANSACTION, operation_ids: [] })
      }
      const did = request.url?.split('/api/dids/')[1]
      if (did === undefined || this.confirmations-- > 0) return answer(404, {})
      return answer(200, this.document(did))
    })
  })
  url = ''

  static async start(): Promise<NeoPrism> {
    const service = new NeoPrism()
    service.#server.listen(0, '127.0.0.1')
    await once(service.#server, 'listening')
    const address = service.#server.address()
    service.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    return service
  }

  document(did: string): unknown {
    const data = bytesAt(this.operations.at(-1) ?? assert.fail(), 3, 1, 1)
    const [, second] = fieldsOf(data).get(2) ?? []
    assert.ok(second instanceof Uint8Array)
    const x = Buffer.from(bytesAt(second, 9, 2)).toString('base64url')
    const method = {
      id: `${did}#authentication-0`,
      type: 'JsonWebKey2020',
      publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x }
    }
    return { id: did, verificationMethod: [method], authentication: [`${did}#authentication-0`] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function create(home: Home, service: NeoPrism, ...flags: string[]): Promise<Outcome> {
  return home.run(['key', 'create-prism', '--prism-url', service.url, ...flags, 'acme'])
}

describe('nunet key create-prism', () => {
  it('submits an operation whose hash is the DID that the key signs for from then on', async () => {
    await using home = await Home.create()
    await using service = await NeoPrism.start()
    const { code, out, err } = await create(home, service)
    assert.equal(code, 0, err)
    const operation = bytesAt(service.operations[0] ?? assert.fail(), 3)
    const did = didOfPrismOperation(operation)
    assert.match(
      out,
      new RegExp(
        `^Key name: acme\nDID: ${did}\nMaster key: acme-prism-master\nTransaction: ${TRANSACTION}$`,
        'm'
      )
    )
    assert.deepEqual(service.requests, ['POST /api/submissions/signed-operations'])
    assert.equal((await home.run(['key', 'did', 'acme'])).out, `${did}\n`)
    assert.equal((await home.run(['key', 'list'])).out, 'acme-prism-master\nacme\n')
    const keys = fieldsOf(bytesAt(operation, 1, 1)).get(2) ?? []
    const facts = keys.map(key => {
      assert.ok(key instanceof Uint8Array)
      const usage = fieldsOf(key).get(2)?.[0]
      return [Buffer.from(bytesAt(key, 1)).toString(), usage, Buffer.from(bytesAt(key, 9, 1)).toString()]
    })
    assert.deepEqual(facts, [
      ['master-0', 1, 'secp256k1'],
      ['authentication-0', 4, 'secp256k1']
    ])
  })

  it('finishes what was stopped after the keys were sealed, with the same DID', async () => {
    await using home = await Home.create()
    await using service = await NeoPrism.start()
    service.status = 500
    const failed = await create(home, service, '--key-type', 'ed25519')
    assert.deepEqual([failed.code, failed.out], [1, ''])
    assert.match(failed.err, /did not take the operation: status 500: \{"message":"no\\+u001b\[2J"\}/)
    assert.match(failed.err, /hint: the keys are kept: run the same command again/)
    assert.ok(!failed.err.includes('\u001b'))
    const did = (await home.run(['key', 'did', 'acme'])).out.trim()
    service.status = 200
    const { code, out, err } = await create(home, service, '--key-type', 'ed25519', '--wait-confirmation')
    assert.equal(code, 0, err)
    assert.match(out, new RegExp(`^DID: ${did}$`, 'm'))
    assert.match(out, /^Confirmed: yes$/m)
    assert.equal(didOfPrismOperation(bytesAt(service.operations[0] ?? assert.fail(), 3)), did)
  })

  it('takes services from before the path changed', async () => {
    await using home = await Home.create()
    await using service = await NeoPrism.start()
    service.isOld = true
    assert.equal((await create(home, service)).code, 0)
    assert.deepEqual(service.requests, [
      'POST /api/submissions/signed-operations',
      'POST /api/signed-operation-submissions'
    ])
  })

  it('waits for the confirmation, and not for ever', async () => {
    await using home = await Home.create()
    await using service = await NeoPrism.start()
    service.confirmations = Number.POSITIVE_INFINITY
    const clock = new VirtualClock()
    const argv = ['key', 'create-prism', '--prism-url', service.url, '--key-type', 'ed25519']
    const running = home.run([...argv, '--wait-confirmation', '--timeout', '35s', 'acme'], { clock })
    let isDone = false
    void running.finally(() => {
      isDone = true
    })
    while (!isDone) {
      const asked = service.requests.length
      if (asked > 1) await clock.advance(1000)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    const { code, err } = await running
    assert.equal(code, 1)
    assert.match(err, /the confirmation of did:prism:[0-9a-f]{64} took longer than 35000 ms/)
    assert.ok(service.requests.filter(line => line.startsWith('GET')).length >= 3)
  })

  it('refuses what it cannot do before it makes a key', async () => {
    await using home = await Home.create()
    for (const [argv, message] of [
      [['acme'], /no PRISM service is named/],
      [['--prism-url', 'ftp://x', 'acme'], /is not the address of a PRISM service/],
      [['--prism-url', 'http://me@x', 'acme'], /is not the address of a PRISM service/],
      [['--prism-url', 'http://x', '--key-type', 'rsa', 'acme'], /unknown key type 'rsa'/],
      [['--prism-url', 'http://x', 'ledger'], /cannot be the name of a key/]
    ] as const) {
      const { code, err } = await home.run(['key', 'create-prism', ...argv])
      assert.deepEqual([code, message.test(err)], [1, true], err)
    }
    assert.equal((await home.run(['key', 'list'])).out, '')
  })

  it('leaves a PRISM key from elsewhere, and keys of those names, alone', async () => {
    await using home = await Home.create()
    await using service = await NeoPrism.start()
    await home.addIdentity('acme')
    assert.match((await create(home, service)).err, /key 'acme' exists/)
    await home.write('.nunet/prism_did_map.json', JSON.stringify({ acme: `did:prism:${'1'.repeat(64)}` }))
    assert.match((await create(home, service)).err, /has a PRISM DID that was not made here/)
    await home.addIdentity('acme-prism-master', { context: false })
    assert.match((await create(home, service)).err, /^Error: /m)
    assert.deepEqual(service.requests, [])
  })
})
