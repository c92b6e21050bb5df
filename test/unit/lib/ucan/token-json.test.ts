import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  formatToken,
  formatTokenList,
  parseToken,
  parseTokenList,
  signingBytes,
  type Token
} from '../../../../src/lib/ucan/index.ts'
import type { Did } from '../../../../src/types/index.ts'
import { identity, token, verdict } from '../parties.ts'

const observed = JSON.parse(
  readFileSync(new URL('../../../vectors/identity-observed.json', import.meta.url), 'utf8')
).observed
const [alice, bob] = [identity('alice'), identity('bob')]

const bare: Token = {
  action: 'delegate',
  issuer: alice.did,
  subject: bob.did,
  audience: undefined,
  topics: [],
  capabilities: ['/a'],
  nonce: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
  expiresAtNs: 1_893_456_000_000_000_001n,
  depth: 0n,
  chain: undefined,
  signature: undefined
}
const inner = `{"act":"delegate","iss":{"uri":"${alice.did}"},"sub":{"uri":"${bob.did}"},"aud":{},"cap":["/a"],"nonce":"AAECAwQFBgcICQoL","exp":1893456000000000001}`

function parsed(text: string): Token {
  const result = parseToken(text)
  assert.ok(result.ok, result.ok ? '' : result.error.message)
  return result.value
}

function withMember(member: string): string {
  return `{"dms":${inner.slice(0, -1)},${member}}}`
}

describe('printing tokens', () => {
  test('members are in order and the empty ones left out', () => {
    assert.equal(formatToken(bare), `{"dms":${inner}}`)
  })

  test('all members in their places, numbers exact', () => {
    const child: Token = {
      ...bare,
      action: 'invoke',
      audience: alice.did,
      topics: ['/nunet', '/x'],
      depth: 18_446_744_073_709_551_615n,
      chain: { ...bare, signature: Uint8Array.of(1, 2, 3) },
      signature: Uint8Array.of(255)
    }
    assert.equal(
      formatToken(child),
      `{"dms":{"act":"invoke","iss":{"uri":"${alice.did}"},"sub":{"uri":"${bob.did}"},"aud":{"uri":"${alice.did}"},` +
        `"topic":["/nunet","/x"],"cap":["/a"],"nonce":"AAECAwQFBgcICQoL","exp":1893456000000000001,` +
        `"depth":18446744073709551615,"chain":{"dms":${inner.slice(0, -1)},"sig":"AQID"}},"sig":"/w=="}}`
    )
  })

  test('null and empty stay apart', () => {
    assert.match(formatToken({ ...bare, capabilities: null, nonce: null }), /"cap":null,"nonce":null,/)
    assert.match(
      formatToken({ ...bare, capabilities: [], nonce: new Uint8Array() }),
      /"cap":\[\],"nonce":"",/
    )
  })

  test('names are escaped as the existing writer does', () => {
    const text = formatToken({ ...bare, capabilities: ['/<&>"\\/\u2028\u0001\t\u007fé\ud800'] })
    assert.ok(text.includes('"/\\u003c\\u0026\\u003e\\"\\\\/\\u2028\\u0001\\t\u007fé\ufffd"'), text)
  })

  test('the observed zero tokens', () => {
    const none = '' as Did // only to show the form of the absent DID
    const zero = { ...bare, issuer: none, subject: none, capabilities: null, nonce: null, expiresAtNs: 0n }
    for (const action of ['require', 'provide', 'revoke']) {
      assert.ok(
        observed.zero_tokens_marshalled.expectedOutput.includes(`\t${formatToken({ ...zero, action })}\n`)
      )
    }
  })

  test('the signed bytes are the inner object without its own signature, with that of the chain', () => {
    const parent = { ...bare, signature: Uint8Array.of(1) }
    const child = { ...bare, chain: parent, signature: Uint8Array.of(2) }
    const text = Buffer.from(signingBytes(child)).toString('utf8')
    assert.equal(text, `dms:token:${inner.slice(0, -1)},"chain":{"dms":${inner.slice(0, -1)},"sig":"AQ=="}}}`)
  })

  test('a list on one line; the empty list is {}', () => {
    assert.equal(formatTokenList([]), '{}')
    assert.equal(formatTokenList([bare, bare]), `{"tok":[{"dms":${inner}},{"dms":${inner}}]}`)
  })
})

describe('reading tokens', () => {
  test('what is printed is read back to the same text', () => {
    const chained = token(alice, {
      subject: bob.did,
      chain: token(bob, { subject: alice.did }),
      topics: ['/t'],
      depth: 2n
    })
    for (const item of [
      bare,
      { ...bare, capabilities: null },
      { ...bare, capabilities: [], nonce: null },
      chained
    ]) {
      assert.equal(formatToken(parsed(formatToken(item))), formatToken(item))
    }
  })

  test('white space, member order and unknown members do not matter', () => {
    const text = ` { "x" : 1 , "dms" : {"exp":1893456000000000001, "nonce":"AAECAwQFBgcICQoL","cap":["/a"],\n"aud":{},"sub":{"uri":"${bob.did}"},"iss":{"uri":"${alice.did}","y":[{}]},"act":"delegate","fact":{"a":null}} } `
    assert.equal(formatToken(parsed(text)), `{"dms":${inner}}`)
  })

  test('member names match in any case, the last duplicate wins', () => {
    const text = `{"DMS":${inner.replace('"cap"', '"Cap"').replace('"exp"', '"EXP"')}}`
    assert.equal(formatToken(parsed(text)), `{"dms":${inner}}`)
    assert.equal(parsed(withMember('"exp":7')).expiresAtNs, 7n)
  })

  test('null stands for absent', () => {
    const text = withMember('"topic":null,"depth":null,"chain":null,"sig":null,"aud":null')
    assert.equal(formatToken(parsed(text)), `{"dms":${inner}}`)
  })

  test('numbers beyond 2^53 are exact, beyond 64 bits refused', () => {
    assert.equal(parsed(withMember('"depth":9007199254740993')).depth, 9_007_199_254_740_993n)
    assert.equal(parsed(withMember('"exp":18446744073709551615')).expiresAtNs, 2n ** 64n - 1n)
    for (const bad of ['18446744073709551616', '-1', '1.0', '1e18', '"1"', 'true', '[1]']) {
      assert.equal(verdict(parseToken(withMember(`"exp":${bad}`))), 'UCAN_MALFORMED', bad)
    }
  })

  const bad: Record<string, string> = {
    'no text': '',
    'not JSON': '{"dms":',
    'trailing text': `{"dms":${inner}}x`,
    'a list': '[]',
    null: 'null',
    'no wrapper': inner,
    'the reserved wrapper only': '{"ucan":{}}',
    'null wrapper': '{"dms":null}',
    'wrapper that is no object': '{"dms":[]}',
    'no issuer': `{"dms":${inner.replace(/"iss":\{[^}]*\}/, '"iss":{}')}}`,
    'no subject': `{"dms":${inner.replace(/"sub":\{[^}]*\},/, '')}}`,
    'issuer that is a text': `{"dms":${inner.replace(/"iss":\{[^}]*\}/, `"iss":"${alice.did}"`)}}`,
    'issuer that is no DID': `{"dms":${inner.replace(/"iss":\{[^}]*\}/, '"iss":{"uri":"alice"}')}}`,
    'audience that is no DID': withMember('"aud":{"uri":"did:key"}'),
    'action that is no text': withMember('"act":1'),
    'capabilities that are no list': withMember('"cap":"/a"'),
    'capability that is no text': withMember('"cap":["/a",null]'),
    'too many capabilities': withMember(`"cap":[${'"/a",'.repeat(256)}"/a"]`),
    'too long capability': withMember(`"cap":["/${'a'.repeat(1024)}"]`),
    'nonce in url base64': withMember('"nonce":"_-__"'),
    'nonce without padding': withMember('"nonce":"AA"'),
    'nonce that is too long': withMember(`"nonce":"${'A'.repeat(400)}"`),
    'signature that is no text': withMember('"sig":[1]'),
    'chain that is no token': withMember('"chain":{}'),
    'a lone control character': withMember('"act":"a\u0001"')
  }
  for (const [name, text] of Object.entries(bad)) {
    test(`refused: ${name}`, () => assert.equal(verdict(parseToken(text)), 'UCAN_MALFORMED'))
  }

  test('a chain longer than the limit is refused without exhausting the stack', () => {
    let text = `{"dms":${inner}}`
    for (let link = 1; link < 64; link++) text = `{"dms":${inner.slice(0, -1)},"chain":${text}}}`
    assert.equal(parseToken(text).ok, true)
    text = `{"dms":${inner.slice(0, -1)},"chain":${text}}}`
    assert.equal(verdict(parseToken(text)), 'UCAN_MALFORMED')
    assert.equal(verdict(parseToken('{"dms":{"chain":'.repeat(60_000))), 'UCAN_MALFORMED')
    assert.equal(verdict(parseToken('['.repeat(500_000))), 'UCAN_MALFORMED')
  })

  test('lists: empty forms, null elements, a single token by mistake', () => {
    for (const text of ['{}', '{"tok":[]}', '{"tok":null}', '{"other":1}']) {
      const list = parseTokenList(text)
      assert.ok(list.ok && list.value.length === 0, text)
    }
    for (const text of ['', 'null', '[]', '{"tok":{}}', '{"tok":[null]}', `{"dms":${inner}}`]) {
      assert.equal(verdict(parseTokenList(text)), 'UCAN_MALFORMED', text)
    }
    const mistaken = parseTokenList(`{"dms":${inner}}`)
    assert.match(mistaken.ok ? '' : mistaken.error.message, /single token; expected a token list/)
  })

  test('a list that ends otherwise than it must is refused', () => {
    const one = `{"dms":${inner}}`
    for (const text of [`{"tok":[${one}]`, `{"tok":[${one},]}`, `{"tok":[${one}]} x`, `{"tok":[${one}}]`])
      assert.equal(verdict(parseTokenList(text)), 'UCAN_MALFORMED', text)
    const list = parseTokenList(`{"tok":[${one},${one}]}`)
    assert.equal(list.ok && list.value.length, 2)
    const spaced = parseTokenList(`{"tok":[${one} ]}`)
    assert.equal(spaced.ok && spaced.value.length, 1)
  })

  test('a token keeps nothing of the text around it in memory by its DIDs, however many there are', () => {
    const names = Array.from({ length: 5000 }, (_, index) => `did:x:${index}`)
    for (const name of [...names, ...names.slice(-10)]) {
      const item = parsed(`{"dms":${inner.replace(alice.did, name)}}`)
      assert.equal(item.issuer, name)
      assert.equal(parsed(formatToken(item)).issuer, name)
    }
    for (const name of ['did:x', 'did:x:a b', `did:x:${'a'.repeat(600)}`])
      assert.equal(
        verdict(parseToken(`{"dms":${inner.replace('"aud":{}', `"aud":{"uri":"${name}"}`)}}`)),
        'UCAN_MALFORMED'
      )
  })

  test('a changed copy of a read token is printed anew, not as it was read', () => {
    const item = parsed(`{"dms":${inner}}`)
    const changed = { ...item, capabilities: ['/b'] }
    assert.equal(formatToken(changed), `{"dms":${inner.replace('/a', '/b')}}`)
    assert.notDeepEqual(signingBytes(changed), signingBytes(item))
  })

  test('a mistake of the caller is not called malformed', () => {
    const nothing: string = JSON.parse('null') // as a caller without types might
    assert.throws(() => parseToken(nothing), TypeError)
  })

  test('read tokens cannot be changed', () => {
    const item = parsed(`{"dms":${inner}}`)
    assert.ok(Object.isFrozen(item) && Object.isFrozen(item.capabilities))
  })
})
