/** Generated tokens and chains: mostly valid, each rule broken now and then. */

import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import fc from 'fast-check'
import {
  type KeyType,
  privateKeyFromProtobuf,
  publicKeyFromRaw,
  writeDerSignature
} from '../../../src/lib/crypto/index.ts'
import { didOf } from '../../../src/lib/did/index.ts'
import type { Token } from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { concatBytes, hexToBytes, utf8ToBytes } from '../../../src/utils/index.ts'
import { HOUR_NS, type Identity, identity, NOW_NS, token } from '../../unit/lib/parties.ts'

/** Cases per property; `npm test -- --nightly` raises it to 100,000. */
export const RUNS = Number(process.env['NUNET_PROPERTY_RUNS'] ?? 2000)

/** Whether there is time for the whole of what is sampled otherwise. */
export const IS_NIGHTLY = RUNS >= 50_000

export const PEOPLE: readonly Identity[] = ['alice', 'bob', 'carol', 'dave'].map(identity)

/** Issuers with keys of the other kinds: libp2p's secp256k1, a Ledger, a Cardano wallet. */
export const OTHERS: readonly Identity[] = [secp256k1Identity(), ledgerIdentity(), cardanoIdentity()]

/** Everyone. The ones whose signatures are checked in JavaScript come last: they are drawn rarely. */
const EVERYONE = [...PEOPLE, ...OTHERS]

/** Odd names beside plain ones: slashes, dots, several scripts, forms of Unicode, and what JSON must escape. */
const NAMES = [
  ...['/', '/a', '/a/b', '/a/b/c', '/ab', '/a/', '/a//b', '/a/..', '/b', 'a'],
  ...['/é', '/e\u0301', '/\u{1f511}', '/\uff0f', '/\u0430', '/a b', '/"\\', '/\u202e', '/%2f', '/a\u007f']
]

const name = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.constant('') }
)
const did: fc.Arbitrary<Did> = fc.constantFrom(...PEOPLE.map(person => person.did))
const rarely = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd })

/** Choices for one link; the chain builder turns them into a token that follows its parent, or does not. */
interface Link {
  readonly issuer: number
  readonly subject: number
  readonly follows: boolean
  readonly action: string
  readonly audience: Did | undefined
  readonly keepsAudience: boolean
  readonly capabilities: readonly string[] | null
  readonly narrows: boolean
  readonly below: string
  readonly topics: readonly string[]
  readonly expiryShift: number
  readonly depth: number
  readonly signature: 'good' | 'none' | 'foreign'
}

/** Place in `EVERYONE`; a check of the others' signatures costs up to fifty of ours. */
const person = fc.oneof(
  { weight: 60, arbitrary: fc.nat(PEOPLE.length - 1) },
  { weight: 4, arbitrary: fc.constant(PEOPLE.length) },
  { weight: 1, arbitrary: fc.nat(EVERYONE.length - 1) }
)

const link: fc.Arbitrary<Link> = fc.record({
  issuer: person,
  subject: person,
  follows: rarely<boolean>(fc.constant(true), fc.constant(false)),
  action: rarely<string>(fc.constant('delegate'), fc.constantFrom('invoke', 'broadcast', 'dance', '')),
  audience: rarely<Did | undefined>(fc.constant(undefined), did),
  keepsAudience: rarely<boolean>(fc.constant(true), fc.constant(false)),
  capabilities: rarely<string[] | null>(fc.array(name, { maxLength: 3 }), fc.constant(null)),
  narrows: rarely<boolean>(fc.constant(true), fc.constant(false)),
  below: fc.constantFrom('', '/x', '/x/y', '/..', '//z'),
  topics: rarely<string[]>(fc.constant([]), fc.array(name, { maxLength: 2 })),
  expiryShift: rarely<number>(fc.nat(2), fc.integer({ min: -3, max: 3 })),
  depth: rarely<number>(fc.constant(0), fc.nat(3)),
  signature: fc.oneof(
    { weight: 40, arbitrary: fc.constant('good' as const) },
    { weight: 1, arbitrary: fc.constantFrom('none' as const, 'foreign' as const) }
  )
})

/** Chains of one to five tokens, leaf outermost. */
export const chains: fc.Arbitrary<Token> = fc.array(link, { minLength: 1, maxLength: 5 }).map(build)

/** The same without signatures that verify, at no cost: for tests of the text. */
export const unsignedChains: fc.Arbitrary<Token> = fc
  .array(link, { minLength: 1, maxLength: 5 })
  .map(links => build(links, NO_SIGNATURE))

const NO_SIGNATURE = new Uint8Array(64).fill(1)

/** The same up to the longest that is read, and a little longer. */
export const longChains: fc.Arbitrary<Token> = fc
  .tuple(link, fc.integer({ min: 30, max: 66 }), fc.array(link, { minLength: 1, maxLength: 2 }))
  .map(([first, length, last]) => {
    const plain: Link = { ...first, ...PLAIN_LINK }
    return build([...Array.from({ length: length - last.length }, () => plain), ...last])
  })

/** A link that breaks nothing, so that long chains are mostly good. */
const PLAIN_LINK = {
  issuer: 0,
  subject: 0,
  follows: true,
  action: 'delegate',
  audience: undefined,
  keepsAudience: true,
  capabilities: ['/a'],
  narrows: true,
  below: '',
  topics: [],
  expiryShift: 0,
  depth: 0,
  signature: 'good'
} as const

/** A question to a context with anchors, and a chain brought along to answer it. */
export interface Scene {
  readonly roots: readonly Did[]
  readonly anchors: readonly Token[]
  readonly revoked: readonly number[]
  readonly leaf: Token
  readonly asked: string
  readonly topic: string | undefined
}

const anchor = fc.record({
  subject: fc.nat(PEOPLE.length - 1),
  audience: rarely<Did | undefined>(fc.constant(undefined), did),
  capabilities: fc.array(fc.constantFrom('/', '/a', '/a/b', '/b'), { minLength: 1, maxLength: 2 }),
  topics: fc.constantFrom([], ['/'], ['/a'], ['/b']),
  expiryShift: rarely<number>(fc.constant(3), fc.integer({ min: -3, max: 3 })),
  depth: fc.constantFrom(0, 0, 1, 2, 3)
})

/** The owner is the first of `PEOPLE`, and the audience; the actor that asks is the last. */
export const scenes: fc.Arbitrary<Scene> = fc
  .record({
    roots: fc.subarray(
      PEOPLE.map(one => one.did),
      { maxLength: 1 }
    ),
    anchors: fc.array(anchor, { maxLength: 3 }),
    revoked: rarely<number[]>(fc.constant([]), fc.array(fc.nat(3), { maxLength: 1 })),
    links: fc.array(link, { minLength: 1, maxLength: 3 }),
    action: rarely<string>(fc.constantFrom('invoke', 'broadcast'), fc.constant('delegate')),
    actor: rarely<boolean>(fc.constant(true), fc.constant(false)),
    audience: fc.constantFrom(undefined, PEOPLE[0]?.did, PEOPLE[0]?.did, PEOPLE[1]?.did),
    topics: fc.constantFrom([], ['/a'], ['/a/b']),
    asked: fc.constantFrom('/a', '/a/b', '/b')
  })
  .map(choice => {
    const owner = personAt(0)
    const anchors = choice.anchors.map(one =>
      token(owner, {
        subject: personAt(one.subject).did,
        audience: one.audience,
        capabilities: one.capabilities,
        topics: one.topics,
        expiresAtNs: NOW_NS + HOUR_NS + BigInt(one.expiryShift),
        depth: BigInt(one.depth)
      })
    )
    const links = choice.links.map(one => ({ ...one, topics: ['/a'], narrows: one.below === '' }))
    const last = links.at(-1) ?? PLAIN_LINK
    const top = build(links.map(one => ({ ...one, capabilities: ['/a', '/b'] })))
    const issuer = EVERYONE.find(one => one.did === top.subject) ?? personAt(last.issuer)
    const leaf = token(issuer, {
      action: choice.action,
      subject: personAt(choice.actor ? 3 : last.subject).did,
      audience: top.audience ?? (choice.action === 'broadcast' ? undefined : choice.audience),
      capabilities: [choice.asked],
      topics: choice.action === 'broadcast' ? ['/a'] : [],
      expiresAtNs: top.expiresAtNs,
      chain: top
    })
    const topic = choice.action === 'broadcast' ? (choice.topics[0] ?? '/a/b') : undefined
    return { roots: choice.roots, anchors, revoked: choice.revoked, leaf, asked: choice.asked, topic }
  })

/** The instant at which a chain is judged: around the expiry of some. */
export const instants: fc.Arbitrary<bigint> = rarely(
  fc.constant(NOW_NS),
  fc.integer({ min: -8, max: 8 }).map(shift => NOW_NS + HOUR_NS + BigInt(shift))
)

function build(links: readonly Link[], signature?: Uint8Array): Token {
  let parent: Token | undefined
  for (const choice of links) parent = linkOn(parent, choice, signature)
  if (parent === undefined) throw new Error('a chain has at least one link')
  return parent
}

function linkOn(parent: Token | undefined, choice: Link, signature: Uint8Array | undefined): Token {
  const follower = EVERYONE.find(person => person.did === parent?.subject)
  const issuer = (choice.follows ? follower : undefined) ?? personAt(choice.issuer)
  const narrow = parent !== undefined && choice.narrows
  const capabilities = narrow
    ? (parent.capabilities?.map(held => under(held, choice.below)) ?? null)
    : choice.capabilities
  const made = token(issuer, {
    action: choice.action,
    subject: personAt(choice.subject).did,
    audience: choice.keepsAudience && parent?.audience !== undefined ? parent.audience : choice.audience,
    topics: narrow ? parent.topics.map(held => under(held, choice.below)) : choice.topics,
    capabilities,
    expiresAtNs: (parent?.expiresAtNs ?? NOW_NS + HOUR_NS) - BigInt(choice.expiryShift),
    depth: BigInt(choice.depth),
    chain: parent,
    signature
  })
  if (choice.signature === 'good') return made
  return {
    ...made,
    signature:
      choice.signature === 'none'
        ? undefined
        : personAt((choice.issuer + 1) % PEOPLE.length).key.sign(new Uint8Array())
  }
}

function personAt(index: number): Identity {
  const person = EVERYONE[index % EVERYONE.length]
  if (person === undefined) throw new Error('no such person')
  return person
}

function under(held: string, below: string): string {
  return held === '/' ? below || '/' : held + below
}

/** An identity that signs by other means than `lib`. */
function identityOf(type: KeyType, raw: Uint8Array, sign: (data: Uint8Array) => Uint8Array): Identity {
  const publicKey = publicKeyFromRaw(type, raw)
  // Only `sign` is used of it; the type is of no key in memory.
  return { did: didOf(publicKey), key: { type: 'Ed25519', publicKey, sign, toProtobuf: () => raw } }
}

function secp256k1Identity(): Identity {
  const key = privateKeyFromProtobuf(concatBytes(hexToBytes('08021220'), new Uint8Array(32).fill(5)))
  return { did: didOf(key.publicKey), key }
}

function ledgerIdentity(): Identity {
  const scalar = new Uint8Array(32).fill(7)
  return identityOf('Eth', secp256k1.getPublicKey(scalar, true), data => {
    const personal = concatBytes(utf8ToBytes(`\x19Ethereum Signed Message:\n${data.length}`), data)
    const compact = secp256k1.sign(keccak_256(personal), scalar, { prehash: false })
    const { r, s } = secp256k1.Signature.fromBytes(compact, 'compact')
    return writeDerSignature(r, s)
  })
}

function cardanoIdentity(): Identity {
  const { key } = identity('cardano')
  return identityOf('Cardano', key.publicKey.raw, data => {
    const hex = data.length.toString(16)
    const length = hexToBytes(data.length < 256 ? `58${hex.padStart(2, '0')}` : `59${hex.padStart(4, '0')}`)
    const structure = concatBytes(hexToBytes('846a5369676e61747572653143a1012740'), length, data)
    return concatBytes(hexToBytes('8443a10127a0405840'), key.sign(structure))
  })
}
