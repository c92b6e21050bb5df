/**
 * Reads everything hostile there is, in a process that `hostile.property.test.ts` starts with a small heap and stack.
 * Prints how many reads were answered.
 */

import {
  base58ToBytes,
  createKeyStore,
  parseActorId,
  parsePeerId,
  privateKeyFromProtobuf,
  publicKeyFromProtobuf,
  publicKeyFromRaw
} from '../../../src/lib/crypto/index.ts'
import { parseDid, publicKeyOfDid } from '../../../src/lib/did/index.ts'
import { parseCapabilityFile, parseToken, parseTokenList } from '../../../src/lib/ucan/index.ts'
import { MemoryFiles, NuError, SeededRandom } from '../../../src/utils/index.ts'
import { identity } from '../../unit/lib/parties.ts'
import { HOSTILE_TEXTS } from './hostile-texts.ts'

let read = 0

async function answers(work: () => unknown): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof NuError)) throw error
  }
  read++
}

const files = new MemoryFiles()
const keys = createKeyStore({ files, random: new SeededRandom(1) }, { directory: '/keys' })

for (const text of HOSTILE_TEXTS) {
  await answers(() => parseToken(text))
  await answers(() => parseTokenList(text))
  await answers(() => parseCapabilityFile(text))
  await answers(() => publicKeyOfDid(parseDid(text)))
  await answers(() => publicKeyOfDid(parseDid(`did:key:z${text.slice(0, 500)}`)))
  await answers(() => parseActorId(text))
  await answers(() => parsePeerId(text))
  await answers(() => base58ToBytes(text))
  await files.writeAtomic('/keys/k.json', Buffer.from(text))
  await answers(() => keys.open('k', 'pw'))
}

/** Bytes that announce more than there is: CBOR heads, DER lengths, protobuf lengths, or nothing but openings. */
const BYTES = [
  ...[0x81, 0x9b, 0xbb, 0x5b, 0x9f, 0xbf, 0xc1, 0xff, 0x00, 0x30].map(byte =>
    new Uint8Array(8000).fill(byte)
  ),
  ...[0x81, 0x84, 0x30].map(byte => new Uint8Array(1_000_000).fill(byte)),
  Uint8Array.of(0x84, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0x84, 0x40, 0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0x84, 0x40, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1),
  Uint8Array.of(8, 1, 18, 255)
]
const { raw } = identity('alice').key.publicKey
const verifiers = [
  publicKeyFromRaw('Ed25519', raw),
  publicKeyFromRaw('Cardano', raw),
  publicKeyOfDid(parseDid('did:key:zzCHUybNYmK8QsttZwXqUX8aDLoBGHnMCakDX2RpsGwmXmYHEW'))
]
for (const bytes of BYTES) {
  for (const key of verifiers) {
    await answers(() => {
      if (key.verify(raw, bytes)) throw new Error('a hostile signature verifies')
    })
  }
  await answers(() => publicKeyFromProtobuf(bytes))
  await answers(() => privateKeyFromProtobuf(bytes))
  for (const type of ['Ed25519', 'Secp256k1', 'Eth', 'Cardano'] as const)
    await answers(() => publicKeyFromRaw(type, bytes))
}

process.stdout.write(JSON.stringify({ read }))
