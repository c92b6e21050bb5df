import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKey } from '../../../../src/lib/crypto/index.ts'
import { bindPrismDid, keySigner, parseDid, prismDidOf, signerFor } from '../../../../src/lib/did/index.ts'
import {
  bytesToUtf8,
  MemoryFiles,
  SeededRandom,
  utf8ToBytes,
  VirtualClock
} from '../../../../src/utils/index.ts'

const DID = parseDid(`did:prism:${'0'.repeat(64)}`)
const PATH = '/home/.nunet/prism_did_map.json'

function store(): { files: MemoryFiles; clock: VirtualClock } {
  return { files: new MemoryFiles(), clock: new VirtualClock() }
}

describe('PRISM DIDs of keys', () => {
  it('are kept by the name of the key, until it signs for its own DID again', async () => {
    const deps = store()
    await bindPrismDid(deps, '/home/.nunet', { name: 'acme', did: DID })
    assert.equal(await prismDidOf(deps.files, '/home/.nunet', 'acme'), DID)
    assert.equal(await prismDidOf(deps.files, '/home/.nunet', 'other'), undefined)
    const text = bytesToUtf8((await deps.files.read(PATH)) ?? assert.fail())
    assert.deepEqual(JSON.parse(text), { acme: DID })
    await bindPrismDid(deps, '/home/.nunet', { name: 'acme', did: undefined })
    assert.equal(await prismDidOf(deps.files, '/home/.nunet', 'acme'), undefined)
  })

  it('make no file for a key that never had one', async () => {
    const deps = store()
    await bindPrismDid(deps, '/home/.nunet', { name: 'acme', did: undefined })
    assert.equal(await deps.files.read(PATH), undefined)
  })

  it('are read from a file of another program, entries that are no PRISM DID passed over', async () => {
    const { files } = store()
    const entries = { acme: DID, key: 'did:key:z6Mk', number: 1, long: `${DID}:state` }
    await files.writeAtomic(PATH, utf8ToBytes(JSON.stringify(entries)))
    assert.equal(await prismDidOf(files, '/home/.nunet', 'acme'), DID)
    for (const name of ['key', 'number', 'long'])
      assert.equal(await prismDidOf(files, '/home/.nunet', name), undefined)
  })

  it('are signed for with the key, which is told beside them', async () => {
    const own = keySigner(generateKey(new SeededRandom(1)))
    const signer = signerFor(DID, own)
    const data = utf8ToBytes('x')
    assert.equal(signer.did, DID)
    assert.equal(signer.publicKey?.verify(data, await signer.sign(data)), true)
  })
})
