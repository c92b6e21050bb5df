import assert from 'node:assert/strict'
import { createCipheriv, createHash, scryptSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  createKeyStore,
  generateKey,
  KeyStoreError,
  type PrivateKey
} from '../../../../src/lib/crypto/index.ts'
import type { FileStore } from '../../../../src/types/index.ts'
import {
  createSystemFiles,
  MemoryFiles,
  SeededRandom,
  systemClock,
  utf8ToBytes
} from '../../../../src/utils/index.ts'

const observed = JSON.parse(
  readFileSync(new URL('../../../vectors/identity-observed.json', import.meta.url), 'utf8')
).observed.keystore_rejects.cases

const CODES: Readonly<Record<string, string>> = {
  ErrEmptyPassphrase: 'KEY_PASSPHRASE_EMPTY',
  ErrDecodeKey: 'KEY_FILE_CORRUPT',
  ErrVersionMismatch: 'KEY_FILE_UNSUPPORTED',
  ErrCipherMismatch: 'KEY_FILE_UNSUPPORTED',
  ErrKeyProcessing: 'KEY_FILE_UNSUPPORTED',
  ErrMACMismatch: 'KEY_PASSPHRASE_WRONG'
}

const key = generateKey(new SeededRandom(1))

function storeOver(files: FileStore, directory = '/keys') {
  return createKeyStore({ files, random: new SeededRandom('store') }, { directory })
}

/** A store that holds the text as the key `k`. */
async function storeWith(text: string) {
  const files = new MemoryFiles()
  await files.writeAtomic('/keys/k.json', utf8ToBytes(text))
  return storeOver(files)
}

function rejects(work: Promise<unknown>, code: string, message?: string): Promise<void> {
  return assert.rejects(work, error => error instanceof KeyStoreError && error.code === code, message)
}

/** Sealed by other means than the store, with cheap costs. */
function sealCheaply(
  sealed: PrivateKey,
  passphrase: string,
  change: (file: SealedFile) => void = () => undefined
): string {
  const salt = Buffer.alloc(64, 1)
  const iv = Buffer.alloc(16, 2)
  const derived = scryptSync(passphrase, salt, 64, { N: 4, r: 8, p: 1 })
  const cipher = createCipheriv('aes-256-ctr', derived.subarray(0, 32), iv)
  const ciphertext = Buffer.concat([cipher.update(sealed.toProtobuf()), cipher.final()])
  const mac = createHash('sha3-256')
    .update(Buffer.concat([derived.subarray(32), ciphertext]))
    .digest('hex')
  const file = {
    id: 'k',
    crypto: {
      cipher: 'aes-256-ctr',
      ciphertext: ciphertext.toString('hex'),
      cipherparams: { iv: iv.toString('hex') },
      kdf: 'scrypt',
      kdfparams: { n: 4, r: 8, p: 1, dklen: 64, salt: salt.toString('hex') },
      mac
    },
    version: 3
  }
  change(file)
  return JSON.stringify(file)
}

interface SealedFile {
  version: number
  crypto: {
    mac: string
    ciphertext: string
    cipherparams: { iv: string }
    kdfparams: Record<string, unknown>
  }
}

describe('key store', () => {
  test('a saved key opens again; the file has the specified form and mode 0600', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nunet-keys-'))
    try {
      const files = createSystemFiles({ clock: systemClock, random: new SeededRandom('files') })
      const store = storeOver(files, join(directory, 'key'))
      await store.save('dms', key, 'pässphrase')
      const path = join(directory, 'key', 'dms.json')
      assert.equal((await stat(path)).mode & 0o777, 0o600)
      assert.deepEqual(await readdir(join(directory, 'key')), ['dms.json'])
      const text = readFileSync(path, 'utf8')
      const file = JSON.parse(text)
      assert.equal(text, JSON.stringify(file, null, 2))
      assert.deepEqual(Object.keys(file), ['id', 'crypto', 'version'])
      assert.equal(file.id, 'dms')
      const { salt, ...costs } = file.crypto.kdfparams
      assert.deepEqual(costs, { n: 262144, r: 8, p: 1, dklen: 64 })
      assert.equal(salt.length, 128)
      assert.equal(file.crypto.cipherparams.iv.length, 32)
      assert.equal(file.crypto.ciphertext.length, 136)
      assert.deepEqual((await store.open('dms', 'pässphrase')).toProtobuf(), key.toProtobuf())
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test('a file sealed by other means opens', async () => {
    const store = await storeWith(sealCheaply(key, 'pw'))
    assert.deepEqual((await store.open('k', 'pw')).toProtobuf(), key.toProtobuf())
  })

  for (const item of observed) {
    test(`observed reject: ${item.name}`, async () => {
      const store = await storeWith(item.keyData)
      await rejects(store.open('k', item.passphrase), CODES[item.error] ?? '')
    })
  }

  test('a wrong passphrase is told apart from a damaged file', async () => {
    const store = await storeWith(sealCheaply(key, 'pw'))
    await rejects(store.open('k', 'pW'), 'KEY_PASSPHRASE_WRONG')
    await rejects(store.open('k', ''), 'KEY_PASSPHRASE_EMPTY')
  })

  test('a changed mac or ciphertext does not open', async () => {
    const flip = (text: string): string => (text.startsWith('0') ? '1' : '0') + text.slice(1)
    for (const field of ['mac', 'ciphertext'] as const) {
      const text = sealCheaply(key, 'pw', file => {
        file.crypto[field] = flip(file.crypto[field])
      })
      await rejects((await storeWith(text)).open('k', 'pw'), 'KEY_PASSPHRASE_WRONG', field)
    }
  })

  test('an iv of another length, and a plaintext that is no key, are damage', async () => {
    const short = sealCheaply(key, 'pw', file => {
      file.crypto.cipherparams.iv = '0202'
    })
    await rejects((await storeWith(short)).open('k', 'pw'), 'KEY_FILE_CORRUPT')
    const other = sealCheaply(key, 'pw', file => {
      file.crypto.cipherparams.iv = '03'.repeat(16) // not covered by the mac: decrypts to something else
    })
    await rejects((await storeWith(other)).open('k', 'pw'), 'KEY_FILE_CORRUPT')
  })

  test('costs that a hostile file could ask for are refused before any work', async () => {
    const hostile: Record<string, unknown>[] = [
      { n: 2 ** 21 },
      { n: 2 ** 20, r: 64 },
      { n: 2 ** 18, p: 2 ** 18 },
      { n: 2, r: 2 ** 19, p: 1 },
      { n: 3 },
      { n: 0 },
      { n: -4 },
      { n: 4.5 },
      { n: '4' },
      { r: 0 },
      { p: 0 },
      { dklen: 63 },
      { dklen: 32 },
      { dklen: 2 ** 30 }
    ]
    for (const costs of hostile) {
      const text = sealCheaply(key, 'pw', file => Object.assign(file.crypto.kdfparams, costs))
      await rejects((await storeWith(text)).open('k', 'pw'), 'KEY_FILE_UNSUPPORTED', JSON.stringify(costs))
    }
  })

  test('files that are not text, too long, or of the wrong JSON shape are damage', async () => {
    const files = new MemoryFiles()
    await files.writeAtomic('/keys/k.json', Uint8Array.of(0xff, 0xfe))
    await rejects(storeOver(files).open('k', 'pw'), 'KEY_FILE_CORRUPT')
    const shapes = ['[]', '"x"', 'null', '{"version":3,"crypto":[]}', ' '.repeat(70_000)]
    for (const text of shapes)
      await rejects((await storeWith(text)).open('k', 'pw'), 'KEY_FILE_CORRUPT', text.slice(0, 40))
    const type = '{"version":3,"crypto":{"cipher":"aes-256-ctr","mac":5}}'
    await rejects((await storeWith(type)).open('k', 'pw'), 'KEY_FILE_CORRUPT')
  })

  test('lists key files only, and knows which exist', async () => {
    const files = new MemoryFiles()
    for (const name of ['b.json', 'a.json', 'a.json.lock', 'notes.txt', '.json']) {
      await files.writeAtomic(`/keys/${name}`, new Uint8Array())
    }
    const store = storeOver(files)
    assert.deepEqual(await store.list(), ['a', 'b'])
    assert.equal(await store.exists('a'), true)
    assert.equal(await store.exists('c'), false)
    await rejects(store.open('c', 'pw'), 'KEY_NOT_FOUND')
  })

  test('removing needs the passphrase', async () => {
    const store = await storeWith(sealCheaply(key, 'pw'))
    await rejects(store.remove('k', 'wrong'), 'KEY_PASSPHRASE_WRONG')
    assert.equal(await store.exists('k'), true)
    await store.remove('k', 'pw')
    assert.equal(await store.exists('k'), false)
    await rejects(store.remove('k', 'pw'), 'KEY_NOT_FOUND')
  })

  test('a name cannot leave the directory', async () => {
    const store = storeOver(new MemoryFiles())
    for (const name of ['../x', 'a/b', 'a\\b', 'a\0']) {
      await assert.rejects(store.open(name, 'pw'), /not a valid name/, name)
    }
  })

  test('an aborted call rejects with the reason of its signal', async () => {
    const store = await storeWith(sealCheaply(key, 'pw'))
    const reason = new Error('enough')
    await assert.rejects(store.open('k', 'pw', { signal: AbortSignal.abort(reason) }), reason)
    await assert.rejects(store.save('k', key, 'pw', { signal: AbortSignal.abort(reason) }), reason)
  })

  test('an aborted call rejects with that reason while it reads and while it derives', async () => {
    const reason = new Error('enough')
    const text = sealCheaply(key, 'pw')
    for (const moment of ['reading', 'deriving'] as const) {
      const controller = new AbortController()
      const files = new MemoryFiles()
      await files.writeAtomic('/keys/k.json', utf8ToBytes(text))
      const read = files.read.bind(files)
      files.read = async path => {
        if (moment === 'reading') controller.abort(reason)
        else queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => controller.abort(reason))))
        return await read(path)
      }
      await assert.rejects(storeOver(files).open('k', 'pw', { signal: controller.signal }), reason, moment)
    }
  })

  test('nothing is written with an empty passphrase', async () => {
    const store = storeOver(new MemoryFiles())
    await rejects(store.save('k', key, ''), 'KEY_PASSPHRASE_EMPTY')
    assert.deepEqual(await store.list(), [])
  })
})
