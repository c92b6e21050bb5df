/** Generated tokens and chains: mostly valid, each rule broken now and then. */

import fc from 'fast-check'
import type { Token } from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { HOUR_NS, type Identity, identity, NOW_NS, token } from '../../unit/lib/parties.ts'

/** Cases per property; a nightly run raises it. */
export const RUNS = Number(process.env['NUNET_PROPERTY_RUNS'] ?? 500)

export const PEOPLE: readonly Identity[] = ['alice', 'bob', 'carol', 'dave'].map(identity)

const NAMES = ['/', '/a', '/a/b', '/a/b/c', '/ab', '/a/', '/a//b', '/a/..', '/b', '/é', 'a']

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

const link: fc.Arbitrary<Link> = fc.record({
  issuer: fc.nat(PEOPLE.length - 1),
  subject: fc.nat(PEOPLE.length - 1),
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

/** The instant at which a chain is judged: around the expiry of some. */
export const instants: fc.Arbitrary<bigint> = rarely(
  fc.constant(NOW_NS),
  fc.integer({ min: -8, max: 8 }).map(shift => NOW_NS + HOUR_NS + BigInt(shift))
)

function build(links: readonly Link[]): Token {
  let parent: Token | undefined
  for (const choice of links) parent = linkOn(parent, choice)
  if (parent === undefined) throw new Error('a chain has at least one link')
  return parent
}

function linkOn(parent: Token | undefined, choice: Link): Token {
  const follower = PEOPLE.find(person => person.did === parent?.subject)
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
    chain: parent
  })
  if (choice.signature === 'good') return made
  return {
    ...made,
    signature:
      choice.signature === 'none' ? undefined : personAt(choice.issuer + 1).key.sign(new Uint8Array())
  }
}

function personAt(index: number): Identity {
  const person = PEOPLE[index % PEOPLE.length]
  if (person === undefined) throw new Error('no such person')
  return person
}

function under(held: string, below: string): string {
  return held === '/' ? below || '/' : held + below
}
