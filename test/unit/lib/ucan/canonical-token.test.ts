/** The reader of printed tokens takes exactly what is printed, and gives up on everything near it. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readCanonicalList, readCanonicalToken } from '../../../../src/lib/ucan/canonical-token.ts'
import { formatToken, formatTokenList, parseToken, type Token } from '../../../../src/lib/ucan/index.ts'
import { identity, token } from '../parties.ts'

const [alice, bob] = [identity('alice'), identity('bob')]
const parent = token(alice, { subject: bob.did, topics: ['/t', '/u'], audience: alice.did, depth: 3n })
const chain = token(bob, { subject: alice.did, capabilities: ['/a', '/b'], chain: parent })
const TEXT = formatToken(chain)

function changed(from: string | RegExp, to: string): string {
  const text = TEXT.replace(from, to)
  assert.notEqual(text, TEXT, String(from))
  return text
}

describe('the reader of printed tokens', () => {
  const printed: Record<string, Token> = {
    'a chain': chain,
    'a token without signature': { ...parent, signature: undefined },
    'no list of capabilities': { ...parent, capabilities: null },
    'an empty list of capabilities': { ...parent, capabilities: [] },
    'no nonce': { ...parent, nonce: null },
    'an empty nonce': { ...parent, nonce: new Uint8Array() },
    'nonces of every length of padding': {
      ...parent,
      nonce: new Uint8Array(13),
      chain: { ...parent, nonce: new Uint8Array(14) }
    },
    'the largest numbers': { ...parent, expiresAtNs: 2n ** 64n - 1n, depth: 2n ** 64n - 1n },
    'an action nobody knows': { ...parent, action: 'dance!' },
    'names with commas and spaces': { ...parent, capabilities: ['/a,b', ' ', '', ','] }
  }
  for (const [name, item] of Object.entries(printed)) {
    test(`reads ${name}`, () => {
      const text = formatToken(item)
      const read = readCanonicalToken(text)
      assert.deepEqual(read, item)
      assert.equal(formatToken({ ...item, ...read }), text)
      assert.deepEqual(readCanonicalList(formatTokenList([item, item])), [item, item])
    })
  }

  test('takes a character as it stands exactly when it is printed so', () => {
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCharCode(code)
      const item = { ...parent, capabilities: [`/${character}`] }
      const text = TEXT.replace('"/a","/b"', `"/${character}"`)
      const isPlain = /^[ -~]$/.test(character) && !'"\\<>&'.includes(character)
      assert.equal(readCanonicalToken(text) !== undefined, isPlain, `U+${code.toString(16)}`)
      const reread = parseToken(formatToken(item))
      assert.deepEqual(reread.ok && reread.value.capabilities, item.capabilities)
    }
  })

  const other: Record<string, string> = {
    'white space': changed(',"iss"', ', "iss"'),
    'another order': changed(/("act":"delegate"),("iss":\{[^}]*\})/, '$2,$1'),
    'another case': changed('"cap"', '"Cap"'),
    'an unknown member': changed('"act"', '"x":1,"act"'),
    'a member twice': changed('"exp":', '"exp":1,"exp":'),
    'an escaped character': changed('"/a"', '"/\\u0061"'),
    'an empty signature': changed(/"sig":"[^"]*"\}\}$/, '"sig":""}}'),
    'a signature that is null': changed(/"sig":"[^"]*"\}\}$/, '"sig":null}}'),
    'a signature with bits behind its end': changed(/[AQgw]==("\}\})$/, 'B==$1'),
    'a signature without padding': changed(/==("\}\})$/, '$1'),
    'a signature with half of its padding': changed(/==("\}\})$/, '=$1'),
    'a nonce with padding only': changed(/"nonce":"[^"]*"/, '"nonce":"=="'),
    'a nonce with bits behind its end': changed(/"nonce":"[^"]*"/, '"nonce":"AAB="'),
    'a nonce in the url alphabet': changed(/"nonce":"[^"]*"/, '"nonce":"-_-_"'),
    'a nonce that is too long': changed(
      /"nonce":"[^"]*"/,
      `"nonce":"${Buffer.alloc(65).toString('base64')}"`
    ),
    'a signature that is too long': changed(
      /"sig":"[^"]*"\}\}$/,
      `"sig":"${Buffer.alloc(8193).toString('base64')}"}}`
    ),
    'a zero in front': changed('"exp":', '"exp":0'),
    'a depth of nought': changed('"depth":3', '"depth":0'),
    'a negative depth': changed('"depth":3', '"depth":-3'),
    'a fraction': changed('"depth":3', '"depth":3.0'),
    'an expiry beyond 64 bits': changed(/"exp":\d+/, '"exp":18446744073709551616'),
    'a depth beyond 64 bits': changed('"depth":3', '"depth":18446744073709551616'),
    'an empty list of topics': changed('["/t","/u"]', '[]'),
    'a chain that is null': changed(/"chain":.*\}\}(,"sig")/, '"chain":null$1'),
    'an audience that is an empty text': changed('"aud":{}', '"aud":{"uri":""}'),
    'an audience that is no DID': changed('"aud":{}', '"aud":{"uri":"did:x"}'),
    'an issuer that is no DID': changed(/"iss":\{"uri":"did:key/, '"iss":{"uri":"key'),
    'a subject that is no DID': changed(/"sub":\{"uri":"did:key/, '"sub":{"uri":"key'),
    'no issuer': changed(/"iss":\{[^}]*\}/, '"iss":{}'),
    'a name too many': changed('"/a","/b"', `${'"/a",'.repeat(256)}"/b"`),
    'a topic too many': changed('"/t","/u"', `${'"/t",'.repeat(256)}"/u"`),
    'a name that is too long': changed('"/a"', `"/${'a'.repeat(1024)}"`),
    'a comma at the end of a list': changed('"/b"]', '"/b",]'),
    'something behind it': `${TEXT} `,
    'something in front of it': ` ${TEXT}`,
    'its end missing': TEXT.slice(0, -1),
    nothing: ''
  }
  for (const [name, text] of Object.entries(other)) {
    test(`leaves to the general reader: ${name}`, () => {
      assert.equal(readCanonicalToken(text), undefined)
      assert.equal(readCanonicalList(`{"tok":[${text}]}`), undefined)
    })
  }

  test('leaves longer chains than are read to the general reader', () => {
    let item = parent
    for (let links = 1; links < 64; links++) item = { ...parent, chain: item }
    assert.ok(readCanonicalToken(formatToken(item)))
    assert.equal(readCanonicalToken(formatToken({ ...parent, chain: item })), undefined)
  })

  test('leaves lists that are not as printed to the general reader', () => {
    assert.deepEqual(readCanonicalList('{}'), [])
    for (const text of [
      '',
      '{"tok":[]}',
      `{"tok":[${TEXT}`,
      `{"tok":[${TEXT}]`,
      `{"tok":[${TEXT},]}`,
      `{"tok":[${TEXT}]}}`,
      `{"tok":[${TEXT}}]}`,
      `[${TEXT}]`
    ])
      assert.equal(readCanonicalList(text), undefined, text.slice(-20))
  })
})
