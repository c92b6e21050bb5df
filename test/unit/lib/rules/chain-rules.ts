/** Rules of tokens and chains (seed, §5.1, §6.1 to §6.3). */

import { parseDid } from '../../../../src/lib/did/index.ts'
import { parseToken, type Token, type VerifyOptions, verifyToken } from '../../../../src/lib/ucan/index.ts'
import { HOUR_NS, identity, NOW_NS, token } from '../parties.ts'
import { codesOf, type Outcome, type Rule } from './rule.ts'

const [alice, bob, carol, dave] = [identity('alice'), identity('bob'), identity('carol'), identity('dave')]
const NO_SIGNATURE = new Uint8Array(64)

interface Changes {
  readonly root?: Partial<Token>
  readonly middle?: Partial<Token>
  readonly leaf?: Partial<Token>
}

/** alice → bob → carol, the leaf an invocation by carol for dave. */
export function chainWith({ root, middle, leaf }: Changes = {}): Token {
  const first = token(alice, { subject: bob.did, ...root })
  const second = token(bob, { subject: carol.did, chain: first, ...middle })
  return token(carol, { action: 'invoke', subject: dave.did, chain: second, ...leaf })
}

function verify(item: Token, options: Partial<VerifyOptions> = {}): Outcome {
  return codesOf(verifyToken(item, { nowNs: NOW_NS, ...options }))
}

const chain =
  (changes: Changes, options: Partial<VerifyOptions> = {}) =>
  (): Outcome =>
    verify(chainWith(changes), options)

const EARLIER = { expiresAtNs: NOW_NS + HOUR_NS - 1n }
const forBob = { audience: bob.did }

/** The list of eight in the seed. */
export const seedRules: readonly Rule[] = [
  {
    source: 'seed 1',
    says: 'a chain with an expired link is refused',
    code: 'UCAN_EXPIRED',
    provoke: chain({ root: { expiresAtNs: NOW_NS - 1n } })
  },
  {
    source: 'seed 2',
    says: 'a token that outlives its chain is refused',
    code: 'UCAN_CHAIN_EXPIRY',
    provoke: chain({ middle: EARLIER })
  },
  {
    source: 'seed 3',
    says: 'a token whose issuer is not the subject of its chain is refused',
    code: 'UCAN_CHAIN_ISSUER',
    provoke: chain({ root: { subject: dave.did } })
  },
  {
    source: 'seed 4',
    says: 'a token with a capability its chain does not hold is refused',
    code: 'UCAN_CAPABILITY_WIDENED',
    provoke: chain({ leaf: { capabilities: ['/b'] } })
  },
  {
    source: 'seed 5',
    says: 'an audience that is dropped again is refused',
    code: 'UCAN_AUDIENCE_WIDENED',
    provoke: chain({ root: forBob, middle: forBob })
  },
  {
    source: 'seed 5',
    says: 'an audience that becomes another is refused',
    code: 'UCAN_AUDIENCE_WIDENED',
    provoke: chain({ middle: forBob, leaf: { audience: dave.did } })
  },
  {
    source: 'seed 5',
    says: 'an audience may be narrowed once and then stays',
    code: 'ok',
    provoke: chain({ middle: forBob, leaf: forBob })
  },
  {
    source: 'seed 6',
    says: 'a token built on an invocation is refused',
    code: 'UCAN_CHAIN_ACTION',
    provoke: chain({ middle: { action: 'invoke' } })
  },
  {
    source: 'seed 7',
    says: 'a token whose signature does not verify is refused',
    code: 'UCAN_SIGNATURE',
    provoke: chain({ leaf: { signature: NO_SIGNATURE } })
  },
  {
    source: 'seed 8',
    says: 'a fault at the root of the chain refuses the whole',
    code: 'UCAN_SIGNATURE',
    provoke: chain({ root: { signature: NO_SIGNATURE } })
  },
  { source: 'seed', says: 'a good chain of three is accepted', code: 'ok', provoke: chain({}) },
  {
    source: 'seed',
    says: 'a token deeper in the chain than its depth allows is refused',
    code: 'UCAN_DEPTH',
    provoke: chain({ root: { depth: 1n } })
  }
]

/** The steps of §6.1, their consequences of §6.2, and depth (§6.3). */
export const verificationRules: readonly Rule[] = [
  {
    source: '§6.1.1',
    says: 'a token without "dms" is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => codesOf(parseToken('{"ucan":{}}'))
  },
  {
    source: '§6.1.2',
    says: 'good up to its expiry and that nanosecond',
    code: 'ok',
    provoke: chain({}, { nowNs: NOW_NS + HOUR_NS })
  },
  {
    source: '§6.1.2',
    says: 'a nanosecond later it is expired',
    code: 'UCAN_EXPIRED',
    provoke: chain({}, { nowNs: NOW_NS + HOUR_NS + 1n })
  },
  {
    source: '§6.1.3',
    says: 'of a revocation nothing but expiry, issuer and signature counts',
    code: 'ok',
    provoke: () =>
      verify(
        token(alice, {
          subject: bob.did,
          action: 'revoke',
          capabilities: [''],
          chain: token(bob, { subject: carol.did, action: 'invoke' })
        }),
        { isRevoked: () => true }
      )
  },
  {
    source: '§6.1.3',
    says: 'a revocation with a bad signature is refused',
    code: 'UCAN_SIGNATURE',
    provoke: () => verify(token(alice, { subject: bob.did, action: 'revoke', signature: NO_SIGNATURE }))
  },
  {
    source: '§6.1.3',
    says: 'a revocation of an unknown issuer is refused',
    code: 'UCAN_ISSUER_KEY',
    provoke: () =>
      verify(token(alice, { subject: bob.did, action: 'revoke', issuer: parseDid('did:example:x') }))
  },
  {
    source: '§6.1.4',
    says: 'a position beyond the depth is refused',
    code: 'UCAN_DEPTH',
    provoke: chain({ middle: { depth: 0n }, root: { depth: 1n } })
  },
  {
    source: '§6.1.5',
    says: 'a revoked link refuses the chain',
    code: 'UCAN_REVOKED',
    provoke: chain({}, { isRevoked: link => link.issuer === alice.did })
  },
  {
    source: '§6.1.6',
    says: 'a chain through an unknown action is refused',
    code: 'UCAN_CHAIN_ACTION',
    provoke: chain({ root: { action: 'dance' } })
  },
  {
    source: '§6.1.7',
    says: 'a token that outlives a grandparent is refused',
    code: 'UCAN_CHAIN_EXPIRY',
    provoke: chain({ root: EARLIER })
  },
  {
    source: '§6.1.8',
    says: "the parent's own fault is the verdict",
    code: 'UCAN_CAPABILITY_WIDENED',
    provoke: chain({ middle: { capabilities: ['/b'] }, leaf: { capabilities: ['/b'] } })
  },
  {
    source: '§6.1.9',
    says: 'an issuer that is not the subject of the parent is refused',
    code: 'UCAN_CHAIN_ISSUER',
    provoke: chain({ middle: { subject: dave.did } })
  },
  {
    source: '§6.1.10',
    says: 'one capability too many refuses, whatever the others are',
    code: 'UCAN_CAPABILITY_WIDENED',
    provoke: chain({ leaf: { capabilities: ['/a', '/a/b', '/b'] } })
  },
  {
    source: '§6.1.11',
    says: 'an issuer whose key cannot be found is refused',
    code: 'UCAN_ISSUER_KEY',
    provoke: () => verify(token(alice, { subject: bob.did, issuer: parseDid('did:prism:x') }))
  },
  {
    source: '§6.1.12',
    says: 'a missing signature is refused',
    code: 'UCAN_SIGNATURE',
    provoke: () => verify({ ...chainWith(), signature: undefined })
  },
  {
    source: '§6.2',
    says: 'a topic the parent does not hold is refused',
    code: 'UCAN_TOPIC_WIDENED',
    provoke: chain({ leaf: { topics: ['/t'] } })
  },
  {
    source: '§6.2',
    says: 'a topic below one of the parent is accepted',
    code: 'ok',
    provoke: chain({ root: { topics: ['/t'] }, middle: { topics: ['/t/u'] }, leaf: { topics: ['/t/u/v'] } })
  },
  {
    source: '§6.2',
    says: 'topics count even where there is no capability (stricter)',
    code: 'UCAN_TOPIC_WIDENED',
    provoke: chain({ leaf: { topics: ['/t'], capabilities: [] } })
  },
  {
    source: '§6.2',
    says: 'a child of a parent without capabilities gets none',
    code: 'UCAN_CAPABILITY_WIDENED',
    provoke: chain({ root: { capabilities: null } })
  },
  {
    source: '§6.2',
    says: 'a child without capabilities verifies',
    code: 'ok',
    provoke: chain({ leaf: { capabilities: [] } })
  },
  {
    source: '§6.2',
    says: 'an unknown action of the leaf verifies (and authorises nothing)',
    code: 'ok',
    provoke: chain({ leaf: { action: 'dance' } })
  },
  {
    source: '§6.2',
    says: 'a chain of more than 64 tokens is refused (stricter)',
    code: 'UCAN_CHAIN_TOO_LONG',
    provoke: () => verify(longChain(65))
  },
  {
    source: '§6.2',
    says: 'a chain of 64 tokens is accepted',
    code: 'ok',
    provoke: () => verify(longChain(64))
  },
  {
    source: '§6.3',
    says: 'each position up to the depth is accepted',
    code: 'ok',
    provoke: chain({ root: { depth: 2n }, middle: { depth: 1n }, leaf: { depth: 1n } })
  },
  { source: '§6.3', says: 'depth 0 is unlimited', code: 'ok', provoke: chain({ root: { depth: 0n } }) }
]

function longChain(length: number): Token {
  let item = token(alice, { subject: alice.did })
  for (let links = 1; links < length; links++) item = token(alice, { subject: alice.did, chain: item })
  return item
}

/** §5.1: what is held, what is asked, and the verdict on a token that asks it. */
const NAMES: readonly (readonly [held: string, asked: string, code: string, says: string])[] = [
  ['/public', '/public/hello', 'ok', 'a path implies what is below it'],
  ['/public', '/publicity', 'UCAN_CAPABILITY_WIDENED', 'not what merely begins alike'],
  ['/public/hello', '/public', 'UCAN_CAPABILITY_WIDENED', 'not what is above it'],
  ['/', '/anything', 'ok', 'the root implies all'],
  [
    '/public/',
    '/public/hello',
    'UCAN_CAPABILITY_WIDENED',
    'a trailing slash is another name and implies only what has it'
  ],
  ['/public', '/public/', 'ok', 'a trailing slash may be asked of what is above it'],
  ['/a//b', '/a/b', 'UCAN_CAPABILITY_WIDENED', 'two slashes are not one'],
  ['/a', '/a//b', 'ok', 'two slashes are an empty segment below'],
  [
    '/a/b',
    '/a/../a/b',
    'UCAN_CAPABILITY_WIDENED',
    'dots are not resolved, going up does not lead down again'
  ],
  ['/a/..', '/b', 'UCAN_CAPABILITY_WIDENED', 'dots are not resolved, going up does not widen'],
  ['/a', '/a/../b', 'ok', 'dots are ordinary segments below (and name nothing else)'],
  ['/a', '/a/./b', 'ok', 'a single dot is an ordinary segment below'],
  ['/a/b', '/a/./b', 'UCAN_CAPABILITY_WIDENED', 'a single dot is not skipped'],
  ['/a/b', '/a/%62', 'UCAN_CAPABILITY_WIDENED', 'percent-encoding is not decoded'],
  ['/a/b', '/a%2fb', 'UCAN_CAPABILITY_WIDENED', 'an encoded slash is no slash'],
  ['/a', '/a%2fb', 'UCAN_CAPABILITY_WIDENED', 'an encoded slash ends no segment'],
  ['/A', '/a', 'UCAN_CAPABILITY_WIDENED', 'case counts'],
  ['/caf\u00e9', '/cafe\u0301', 'UCAN_CAPABILITY_WIDENED', 'composed and decomposed Unicode forms differ'],
  ['/a', '/\u0430', 'UCAN_CAPABILITY_WIDENED', 'a letter of another script that looks alike differs'],
  ['/a', '/a\uff0fb', 'UCAN_CAPABILITY_WIDENED', 'a fullwidth slash is no slash'],
  ['/a', '/a\\b', 'UCAN_CAPABILITY_WIDENED', 'a backslash is no slash'],
  ['/a', '/a\u0000', 'UCAN_CAPABILITY_WIDENED', 'a NUL does not end a name'],
  ['/a', '/a\u0000/b', 'UCAN_CAPABILITY_WIDENED', 'a NUL does not end a segment'],
  ['/a', '/a\u200b', 'UCAN_CAPABILITY_WIDENED', 'an invisible character counts'],
  ['/a', '/a ', 'UCAN_CAPABILITY_WIDENED', 'a space counts'],
  ['a', '/a', 'UCAN_CAPABILITY_WIDENED', 'a name without slash is another'],
  ['', '/anything', 'UCAN_CAPABILITY_WIDENED', 'the empty name implies nothing (stricter)'],
  ['', '', 'UCAN_EMPTY_CAPABILITY', 'a token with the empty name is refused (stricter)']
]

export const nameRules: readonly Rule[] = [
  ...NAMES.map(([held, asked, code, says]) => ({
    source: '§5.1',
    says: `${says}: ${shown(held)} held, ${shown(asked)} asked`,
    code,
    provoke: chain({
      root: { capabilities: [held] },
      middle: { capabilities: [asked] },
      leaf: { capabilities: [asked] }
    })
  })),
  ...NAMES.filter(([, , code]) => code === 'UCAN_CAPABILITY_WIDENED').map(([held, asked]) => ({
    source: '§5.1',
    says: `topics follow the same rule: ${shown(held)} held, ${shown(asked)} asked`,
    code: 'UCAN_TOPIC_WIDENED',
    provoke: chain({ root: { topics: [held] }, middle: { topics: [asked] }, leaf: { topics: [asked] } })
  })),
  {
    source: '§5.1',
    says: 'an empty topic is refused (stricter)',
    code: 'UCAN_EMPTY_CAPABILITY',
    provoke: chain({ root: { topics: [''] } })
  }
]

/** A name in the document: what cannot be seen is written as an escape. */
function shown(name: string): string {
  return `\`${JSON.stringify(name).replace(/[^ -~]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}\``
}
