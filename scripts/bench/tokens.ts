import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { generateKey } from '../../src/lib/crypto/index.ts'
import { didOf, keySigner } from '../../src/lib/did/index.ts'
import {
  createCapabilityContext,
  formatToken,
  parseToken,
  type Token,
  verifyToken
} from '../../src/lib/ucan/index.ts'
import { systemClock as clock, systemRandom as random } from '../../src/utils/index.ts'
import { median, type Row } from './measure.ts'

const LENGTH = 4
const CHAINS = 64
const ROUNDS = 9

/** A fresh chain of four tokens against four bare verifications of `node:crypto`. */
export async function benchTokens(): Promise<Row[]> {
  const texts = await Promise.all(Array.from({ length: CHAINS }, () => makeChain(LENGTH)))
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const message = Buffer.alloc(600, 7)
  const signature = sign(null, message, privateKey)
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const ratios: number[] = []
  const ours: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const tokens = texts.map(text => parse(text))
    const started = performance.now()
    for (const token of tokens)
      if (!verifyToken(token, { nowNs: clock.nowNs() }).ok) throw new Error('a good chain was refused')
    const oursMs = performance.now() - started
    const bareStarted = performance.now()
    for (let index = 0; index < CHAINS * LENGTH; index++) {
      const key = createPublicKey({ key: spki, type: 'spki', format: 'der' })
      if (!verify(null, message, key, signature)) throw new Error('a good signature was refused')
    }
    ratios.push((performance.now() - bareStarted) / oursMs)
    ours.push(oursMs / CHAINS)
  }
  const ratio = median(ratios)
  return [
    {
      what: 'verify a fresh chain of 4 tokens',
      ours: `${(median(ours) * 1000).toFixed(0)} µs`,
      against: '4 bare Ed25519 verifications',
      ratio: `${ratio.toFixed(2)} of the rate`,
      target: '–',
      isMet: undefined
    }
  ]
}

function parse(text: string): Token {
  const parsed = parseToken(text)
  if (!parsed.ok) throw new Error(parsed.error.message)
  return parsed.value
}

async function makeChain(length: number): Promise<string> {
  const keys = Array.from({ length: length + 1 }, () => generateKey(random))
  const expiresAtNs = clock.nowNs() + 3_600_000_000_000n
  let token: Token | undefined
  for (const [index, key] of keys.slice(0, length).entries()) {
    const owner = didOf(key.publicKey)
    const { context } = createCapabilityContext({ clock, random, owner, signer: keySigner(key) })
    const next = keys[index + 1]
    if (next === undefined) break
    const request = {
      action: 'delegate',
      subject: didOf(next.publicKey),
      topics: [],
      capabilities: ['/dms/deployment'],
      expiresAtNs,
      depth: 0n
    } as const
    if (token === undefined) token = await context.grant(request)
    else {
      context.anchors.addProvide([token])
      const delegated = await context.delegate({ ...request, selfSign: 'no' })
      if (!delegated.ok) throw new Error(delegated.error.message)
      token = delegated.value[0]
    }
  }
  if (token === undefined) throw new Error('no chain was made')
  return formatToken(token)
}
