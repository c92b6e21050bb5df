/** Rules of key files (§3.3) and capability files (§4). */

import { createCipheriv, createHash, scryptSync } from 'node:crypto'
import { createKeyStore } from '../../../../src/lib/crypto/index.ts'
import { keySigner } from '../../../../src/lib/did/index.ts'
import {
  createCapabilityStore,
  emptyCapabilityFile,
  formatCapabilityFile,
  parseCapabilityFile
} from '../../../../src/lib/ucan/index.ts'
import { MemoryFiles, SeededRandom, utf8ToBytes, VirtualClock } from '../../../../src/utils/index.ts'
import { identity, token } from '../parties.ts'
import { answer, type Outcome, type Rule, thrown } from './rule.ts'

const [alice, bob] = [identity('alice'), identity('bob')]

interface KeyFile {
  id?: string
  version?: unknown
  crypto: {
    cipher?: unknown
    mac?: unknown
    ciphertext?: unknown
    kdf?: unknown
    cipherparams: { iv?: unknown }
    kdfparams: Record<string, unknown>
  }
}

/** A key file sealed with the passphrase `pw` at no cost worth mentioning. */
function keyFile(): KeyFile {
  const [salt, iv] = [Buffer.alloc(64, 1), Buffer.alloc(16, 2)]
  const derived = scryptSync('pw', salt, 64, { N: 4, r: 8, p: 1 })
  const cipher = createCipheriv('aes-256-ctr', derived.subarray(0, 32), iv)
  const ciphertext = Buffer.concat([cipher.update(alice.key.toProtobuf()), cipher.final()])
  const mac = createHash('sha3-256').update(derived.subarray(32)).update(ciphertext).digest('hex')
  const kdfparams = { n: 4, r: 8, p: 1, dklen: 64, salt: salt.toString('hex') }
  const crypto = {
    cipher: 'aes-256-ctr',
    ciphertext: ciphertext.toString('hex'),
    cipherparams: { iv: iv.toString('hex') },
    kdf: 'scrypt',
    kdfparams,
    mac
  }
  return { id: 'k', crypto, version: 3 }
}

const open =
  (change: (file: KeyFile) => unknown, passphrase = 'pw') =>
  (): Promise<Outcome> => {
    const file = keyFile()
    const text = change(file)
    return openText(typeof text === 'string' ? text : JSON.stringify(file), passphrase)
  }

async function openText(text: string | undefined, passphrase: string): Promise<Outcome> {
  const files = new MemoryFiles()
  if (text !== undefined) await files.writeAtomic('/keys/k.json', utf8ToBytes(text))
  const store = createKeyStore({ files, random: new SeededRandom(1) }, { directory: '/keys' })
  return thrown(() => store.open('k', passphrase))
}

const costs = (change: Record<string, unknown>) =>
  open(file => {
    Object.assign(file.crypto.kdfparams, change)
  })

export const keyFileRules: readonly Rule[] = [
  {
    source: '§3.3',
    says: 'a key file opens with its passphrase',
    code: 'ok',
    provoke: open(() => undefined)
  },
  {
    source: '§3.3.1',
    says: 'an empty passphrase is refused before the file is looked at',
    code: 'KEY_PASSPHRASE_EMPTY',
    provoke: open(() => '{', '')
  },
  {
    source: '§3.3.2',
    says: 'what is not JSON is damage',
    code: 'KEY_FILE_CORRUPT',
    provoke: open(() => '{')
  },
  {
    source: '§3.3.3',
    says: 'another version is unsupported',
    code: 'KEY_FILE_UNSUPPORTED',
    provoke: open(file => {
      file.version = 2
    })
  },
  {
    source: '§3.3.3',
    says: 'a missing version is unsupported',
    code: 'KEY_FILE_UNSUPPORTED',
    provoke: open(file => {
      delete file.version
    })
  },
  {
    source: '§3.3.4',
    says: 'another cipher is unsupported',
    code: 'KEY_FILE_UNSUPPORTED',
    provoke: open(file => {
      file.crypto.cipher = 'aes-128-ctr'
    })
  },
  {
    source: '§3.3.5',
    says: 'a mac that is not hexadecimal is damage',
    code: 'KEY_FILE_CORRUPT',
    provoke: open(file => {
      file.crypto.mac = 'xx'
    })
  },
  {
    source: '§3.3.5',
    says: 'an iv that is not hexadecimal is damage',
    code: 'KEY_FILE_CORRUPT',
    provoke: open(file => {
      file.crypto.cipherparams.iv = 'xx'
    })
  },
  {
    source: '§3.3.5',
    says: 'a salt that is not hexadecimal is damage',
    code: 'KEY_FILE_CORRUPT',
    provoke: costs({ salt: 'xx' })
  },
  {
    source: '§3.3.5',
    says: 'a ciphertext that is not hexadecimal is damage',
    code: 'KEY_FILE_CORRUPT',
    provoke: open(file => {
      file.crypto.ciphertext = 1
    })
  },
  {
    source: '§3.3.6',
    says: 'a missing cost is unsupported',
    code: 'KEY_FILE_UNSUPPORTED',
    provoke: costs({ n: undefined })
  },
  {
    source: '§3.3.6',
    says: 'a cost that is no power of two is unsupported',
    code: 'KEY_FILE_UNSUPPORTED',
    provoke: costs({ n: 5 })
  },
  {
    source: '§3.3.6',
    says: 'costs that scrypt itself forbids are unsupported',
    code: 'KEY_FILE_UNSUPPORTED',
    provoke: costs({ n: 65_536, r: 1 })
  },
  {
    source: '§3.3.6',
    says: 'costs of more than a gigabyte are unsupported (stricter)',
    code: 'KEY_FILE_UNSUPPORTED',
    provoke: costs({ n: 2 ** 20, r: 16 })
  },
  {
    source: '§3.3.6',
    says: 'a derived key below 64 bytes is unsupported (stricter)',
    code: 'KEY_FILE_UNSUPPORTED',
    provoke: costs({ dklen: 32 })
  },
  {
    source: '§3.3.7',
    says: 'a wrong passphrase is told from damage',
    code: 'KEY_PASSPHRASE_WRONG',
    provoke: open(() => undefined, 'PW')
  },
  {
    source: '§3.3.7',
    says: 'a missing mac cannot be right',
    code: 'KEY_PASSPHRASE_WRONG',
    provoke: open(file => {
      delete file.crypto.mac
    })
  },
  {
    source: '§3.3.8',
    says: 'a missing file is told so',
    code: 'KEY_NOT_FOUND',
    provoke: () => openText(undefined, 'pw')
  }
]

async function capabilities(
  content: string | Uint8Array | undefined
): Promise<ReturnType<typeof createCapabilityStore>> {
  const files = new MemoryFiles()
  const bytes = typeof content === 'string' ? utf8ToBytes(content) : content
  if (bytes !== undefined) await files.writeAtomic('/cap/c.cap', bytes)
  return createCapabilityStore(
    { files, clock: new VirtualClock(), random: new SeededRandom(1) },
    { directory: '/cap' }
  )
}

const FILE = formatCapabilityFile(emptyCapabilityFile(alice.did))
const signer = keySigner(alice.key)

export const capabilityFileRules: readonly Rule[] = [
  {
    source: '§4.1',
    says: 'capitalised names of old files are read',
    code: 'ok',
    provoke: () =>
      answer(parseCapabilityFile(FILE.replace('did', 'DID').replace('roots', 'Roots')).did === alice.did)
  },
  {
    source: '§4.2',
    says: 'a file that is none is damage',
    code: 'UCAN_FILE_CORRUPT',
    provoke: async () => thrown(async () => (await capabilities('{')).load('c'))
  },
  {
    source: '§4.2',
    says: 'bytes that are no text are damage',
    code: 'UCAN_FILE_CORRUPT',
    provoke: async () => thrown(async () => (await capabilities(Uint8Array.of(0xff))).load('c'))
  },
  {
    source: '§4.2',
    says: 'one bad entry is set aside, the others are taken (gentler)',
    code: 'ok',
    provoke: () => {
      const bad = FILE.replace(
        '"require":{}',
        `"require":{"tok":[{"dms":1},${JSON.stringify({ dms: null })}]},"x":1`
      ).replace('"roots":[]', '"roots":[{"uri":"x"}]')
      return answer(parseCapabilityFile(bad).setAside.length === 3)
    }
  },
  {
    source: '§4.2',
    says: 'a file of another owner is refused',
    code: 'UCAN_WRONG_OWNER',
    provoke: async () => {
      const store = await capabilities(undefined)
      await store.save('c', emptyCapabilityFile(alice.did), { form: 'sealed', signer })
      return thrown(() => store.load('c', { signer: keySigner(bob.key) }))
    }
  },
  {
    source: '§4.3',
    says: 'what is to be changed must be there',
    code: 'UCAN_FILE_MISSING',
    provoke: async () => thrown(async () => (await capabilities(undefined)).update('c', file => file))
  },
  {
    source: '§4.3',
    says: 'a file too long to be read again is not written',
    code: 'UCAN_FILE_FULL',
    provoke: async () => {
      const reason = { code: 'UCAN_MALFORMED', message: 'not read' }
      const setAside = [{ list: 'require' as const, text: 'x'.repeat(2 ** 25), reason }]
      const store = await capabilities(undefined)
      return thrown(() => store.save('c', { ...emptyCapabilityFile(alice.did), setAside }))
    }
  },
  {
    source: '§4.3',
    says: 'a sealed file needs its key',
    code: 'UCAN_FILE_SEALED',
    provoke: async () => {
      const store = await capabilities(undefined)
      await store.save('c', emptyCapabilityFile(alice.did), { form: 'sealed', signer })
      return thrown(() => store.load('c'))
    }
  },
  {
    source: '§4.3',
    says: 'a file sealed by a later version is unsupported',
    code: 'UCAN_FILE_UNSUPPORTED',
    provoke: async () =>
      thrown(async () => (await capabilities('{"sealed":2,"x":1}\n')).load('c', { signer }))
  },
  {
    source: '§4.3',
    says: 'a key that signs differently each time cannot seal',
    code: 'UCAN_SEAL_UNSUPPORTED',
    provoke: async () => {
      let count = 0
      const moody = { did: alice.did, sign: () => utf8ToBytes(`signature ${count++}`) }
      return thrown(async () => (await capabilities(FILE)).seal('c', { signer: moody }))
    }
  },
  {
    source: '§4.1',
    says: 'entries set aside are read back, and tried again',
    code: 'ok',
    provoke: () => {
      const given = token(bob, { subject: alice.did })
      const entry = (list: string, text: unknown): string => JSON.stringify({ list, text })
      const aside = [
        entry('provide', JSON.stringify({ dms: 1 })),
        entry('provide', 'no JSON'),
        entry('other', '{}'),
        '1',
        entry('provide', 1)
      ]
      const file = parseCapabilityFile(FILE.replace('}\n', `,"aside":[${aside.join(',')}]}`))
      return answer(file.setAside.length === 2 && given.subject === file.did)
    }
  }
]
