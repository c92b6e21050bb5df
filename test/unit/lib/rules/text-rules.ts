/** Rules of the text of tokens (§0.3, §2.1, §5.2): the odd forms, one by one. */

import { formatToken, parseToken, verifyToken } from '../../../../src/lib/ucan/index.ts'
import { identity, NOW_NS, token } from '../parties.ts'
import { codesOf, type Outcome, type Rule } from './rule.ts'

const [alice, bob] = [identity('alice'), identity('bob')]
const good = token(alice, { subject: bob.did, capabilities: ['/a'], depth: 5n })
const TEXT = formatToken(good)

/** The token with a change in its text: read, and verified when it was read. */
function changed(from: string | RegExp, to: string): Outcome {
  const text = TEXT.replace(from, to)
  if (text === TEXT) throw new Error(`nothing to replace: ${String(from)}`)
  return judged(text)
}

function judged(text: string): Outcome {
  const read = parseToken(text)
  return read.ok ? codesOf(verifyToken(read.value, { nowNs: NOW_NS })) : codesOf(read)
}

/** A token whose only capability is `name`, as its issuer would sign and print it; then read and verified. */
function withName(name: string): Outcome {
  return judged(formatToken(token(alice, { subject: bob.did, capabilities: [name] })))
}

const exp = (literal: string) => (): Outcome => changed(/"exp":\d+/, `"exp":${literal}`)
const depth = (literal: string) => (): Outcome => changed('"depth":5', `"depth":${literal}`)
const nonce = (literal: string) => (): Outcome => changed(/"nonce":"[^"]*"/, `"nonce":${literal}`)

/** §0.3 and §5.2: what changes the text and what changes the meaning. */
export const textRules: readonly Rule[] = [
  {
    source: '§0.3',
    says: 'white space between members changes nothing',
    code: 'ok',
    provoke: () => changed(/,"/g, ' ,\n\t"')
  },
  {
    source: '§0.3',
    says: 'the order of members changes nothing',
    code: 'ok',
    provoke: () => changed(/("act":"delegate"),("iss":\{[^}]*\})/, '$2,$1')
  },
  {
    source: '§0.3',
    says: 'an unknown member is ignored',
    code: 'ok',
    provoke: () => changed('"act"', '"note":{"a":[1]},"act"')
  },
  {
    source: '§0.3.7',
    says: 'the case of a member name does not count',
    code: 'ok',
    provoke: () => changed('"cap"', '"CAP"')
  },
  {
    source: '§0.3.7',
    says: 'of two equal members the last counts: the signed one last',
    code: 'ok',
    provoke: () => changed('"cap":["/a"]', '"cap":["/b"],"cap":["/a"]')
  },
  {
    source: '§0.3.7',
    says: 'of two equal members the last counts: another last',
    code: 'UCAN_SIGNATURE',
    provoke: () => changed('"cap":["/a"]', '"cap":["/a"],"cap":["/b"]')
  },
  {
    source: '§0.3.7',
    says: 'of two members that differ in case the last counts: the signed one last',
    code: 'ok',
    provoke: () => changed('"cap":["/a"]', '"Cap":["/b"],"cap":["/a"]')
  },
  {
    source: '§0.3.7',
    says: 'of two members that differ in case the last counts, an exact name has no precedence',
    code: 'UCAN_SIGNATURE',
    provoke: () => changed('"cap":["/a"]', '"cap":["/a"],"Cap":["/b"]')
  },
  {
    source: '§0.3.7',
    says: 'of three members, two of them equal, the last in the text counts',
    code: 'ok',
    provoke: () => changed('"cap":["/a"]', '"cap":["/b"],"Cap":["/c"],"cap":["/a"]')
  },
  {
    source: '§0.3.7',
    says: 'a member named `__proto__` is an unknown member',
    code: 'ok',
    provoke: () => changed('"act"', '"__proto__":{"act":"invoke"},"act"')
  },
  {
    source: '§0.3.5',
    says: 'numbers beyond 2^53 are exact',
    code: 'UCAN_SIGNATURE',
    provoke: depth('9007199254740993')
  },
  {
    source: '§0.3.5',
    says: 'an expiry one nanosecond off is another',
    code: 'UCAN_SIGNATURE',
    provoke: exp(String(good.expiresAtNs + 1n))
  },
  {
    source: '§0.3.5',
    says: 'a number of 64 bits is read',
    code: 'UCAN_SIGNATURE',
    provoke: exp('18446744073709551615')
  },
  {
    source: '§0.3.5',
    says: 'a number beyond 64 bits is malformed',
    code: 'UCAN_MALFORMED',
    provoke: exp('18446744073709551616')
  },
  {
    source: '§0.3.5',
    says: 'a depth beyond 64 bits is malformed',
    code: 'UCAN_MALFORMED',
    provoke: depth('18446744073709551616')
  },
  { source: '§0.3.5', says: 'a negative number is malformed', code: 'UCAN_MALFORMED', provoke: depth('-1') },
  {
    source: '§0.3.5',
    says: 'minus nought reads as nought, which is another meaning',
    code: 'UCAN_SIGNATURE',
    provoke: depth('-0')
  },
  {
    source: '§0.3.5',
    says: 'a fraction is malformed, also when it is whole',
    code: 'UCAN_MALFORMED',
    provoke: depth('5.0')
  },
  { source: '§0.3.5', says: 'an exponent is malformed', code: 'UCAN_MALFORMED', provoke: depth('5e0') },
  { source: '§0.3.5', says: 'a leading zero is malformed', code: 'UCAN_MALFORMED', provoke: depth('05') },
  { source: '§0.3.5', says: 'a plus sign is malformed', code: 'UCAN_MALFORMED', provoke: depth('+5') },
  {
    source: '§0.3.5',
    says: 'a number in quotes is malformed',
    code: 'UCAN_MALFORMED',
    provoke: depth('"5"')
  },
  {
    source: '§0.3.5',
    says: 'a number of a thousand digits is malformed',
    code: 'UCAN_MALFORMED',
    provoke: exp('9'.repeat(1000))
  },
  {
    source: '§0.3.3',
    says: 'null and an empty list are different',
    code: 'UCAN_SIGNATURE',
    provoke: () =>
      judged(
        formatToken(token(alice, { subject: bob.did, capabilities: [] })).replace('"cap":[]', '"cap":null')
      )
  },
  {
    source: '§0.3.6',
    says: 'a name with characters that Go escapes is signed as Go prints it',
    code: 'ok',
    provoke: () => withName('/<&>\u2028"\\')
  },
  {
    source: '§0.3.6',
    says: 'the same name unescaped on the wire means the same',
    code: 'ok',
    provoke: () =>
      judged(formatToken(token(alice, { subject: bob.did, capabilities: ['/<'] })).replace('\\u003c', '<'))
  },
  {
    source: '§0.3.6',
    says: 'an escape of a plain character means the character',
    code: 'ok',
    provoke: () => changed('"/a"', '"/\\u0061"')
  },
  {
    source: '§0.3.6',
    says: 'a NUL in a name is read when escaped',
    code: 'ok',
    provoke: () => withName('/a\u0000')
  },
  {
    source: '§0.3.6',
    says: 'a raw control character is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => changed('"/a"', '"/a\u0001"')
  },
  {
    source: '§0.3.6',
    says: 'a lone surrogate escape reads as U+FFFD, which is another name',
    code: 'UCAN_SIGNATURE',
    provoke: () => changed('"/a"', '"/\\ud800"')
  },
  {
    source: '§0.3.6',
    says: 'the composed and the decomposed form of a name are different',
    code: 'UCAN_SIGNATURE',
    provoke: () =>
      judged(
        formatToken(token(alice, { subject: bob.did, capabilities: ['/caf\u00e9'] })).replace(
          '\u00e9',
          'e\u0301'
        )
      )
  },
  {
    source: '§0.3.2',
    says: 'base64 in the url alphabet is malformed',
    code: 'UCAN_MALFORMED',
    provoke: nonce('"-_-_"')
  },
  {
    source: '§0.3.2',
    says: 'base64 without padding is malformed',
    code: 'UCAN_MALFORMED',
    provoke: nonce('"AAA"')
  },
  {
    source: '§0.3.2',
    says: 'base64 with bits behind its end is malformed (stricter)',
    code: 'UCAN_MALFORMED',
    provoke: nonce('"AAB="')
  },
  {
    source: '§0.3.2',
    says: 'base64 with white space is malformed (stricter)',
    code: 'UCAN_MALFORMED',
    provoke: nonce('"AAAA\\nAAAA"')
  },
  {
    source: '§0.3.2',
    says: 'base64 with padding inside is malformed',
    code: 'UCAN_MALFORMED',
    provoke: nonce('"AA==AAAA"')
  },
  {
    source: '§0.3.2',
    says: 'a null nonce is another than an empty one',
    code: 'UCAN_SIGNATURE',
    provoke: () =>
      judged(
        formatToken(token(alice, { subject: bob.did, nonce: new Uint8Array() })).replace(
          '"nonce":""',
          '"nonce":null'
        )
      )
  },
  {
    source: '§5.2',
    says: 'a nonce of more than 64 bytes is malformed (stricter)',
    code: 'UCAN_MALFORMED',
    provoke: nonce(`"${Buffer.alloc(65).toString('base64')}"`)
  },
  {
    source: '§5.2',
    says: 'a signature of more than 8192 bytes is malformed (stricter)',
    code: 'UCAN_MALFORMED',
    provoke: () => changed(/"sig":"[^"]*"/, `"sig":"${Buffer.alloc(8193).toString('base64')}"`)
  },
  {
    source: '§5.2',
    says: 'more than 256 capabilities are malformed (stricter)',
    code: 'UCAN_MALFORMED',
    provoke: () => changed('"/a"', `"/a"${',"/a"'.repeat(256)}`)
  },
  {
    source: '§5.2',
    says: 'a capability of more than 1024 characters is malformed (stricter)',
    code: 'UCAN_MALFORMED',
    provoke: () => changed('"/a"', `"/${'a'.repeat(1024)}"`)
  },
  {
    source: '§5.2',
    says: 'a capability that is no text is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => changed('"/a"', '1')
  },
  {
    source: '§5.2',
    says: 'text behind the token is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => judged(`${TEXT}x`)
  },
  {
    source: '§5.2',
    says: 'a text longer than a megabyte is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => judged(`${TEXT}${' '.repeat(1_048_576)}`)
  },
  {
    source: '§5.2',
    says: 'a missing issuer is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => changed(/"iss":\{[^}]*\}/, '"iss":{}')
  },
  {
    source: '§2.1',
    says: 'a DID with four parts is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => changed('"uri":"did:key:', '"uri":"did:key:x:')
  },
  {
    source: '§2.1',
    says: 'a DID longer than 512 characters is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => changed('"uri":"did:key:', `"uri":"did:key:${'1'.repeat(512)}`)
  },
  {
    source: '§2.1',
    says: 'a DID with another scheme is malformed (stricter)',
    code: 'UCAN_MALFORMED',
    provoke: () => changed('"uri":"did:', '"uri":"DID:')
  }
]
