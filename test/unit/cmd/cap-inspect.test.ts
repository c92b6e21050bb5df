/** `cap inspect`: what it shows of tokens, of broken ones above all, and what a context makes of them. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatToken, formatTokenList, type Token } from '../../../src/lib/ucan/index.ts'
import { systemClock } from '../../../src/utils/index.ts'
import { identity, token } from '../lib/parties.ts'
import { Home } from './harness.ts'

const [acme, user, node] = ['acme', 'user', 'node'].map(identity) as [
  ReturnType<typeof identity>,
  ReturnType<typeof identity>,
  ReturnType<typeof identity>
]
const DAY_NS = 86_400_000_000_000n
const LATER = systemClock.nowNs() + 10n * DAY_NS

function give(
  from: ReturnType<typeof identity>,
  to: ReturnType<typeof identity>,
  fields: Partial<Token> = {}
): Token {
  return token(from, { subject: to.did, expiresAtNs: LATER, capabilities: ['/public'], ...fields })
}

const parent = give(acme, user, {
  capabilities: ['/public', '/dms/deployment'],
  topics: ['/nunet'],
  depth: 3n
})
const child = give(user, node, { chain: parent, expiresAtNs: LATER - 1n, depth: 1n, audience: acme.did })

async function inspect(home: Home, ...argv: string[]) {
  return await home.run(['cap', 'inspect', ...argv], { environment: { DMS_PASSPHRASE: '' } })
}

describe('nunet cap inspect', () => {
  it('shows a chain from its root to its leaf with whole DIDs, terms and a verdict for each link', async () => {
    await using home = await Home.create()
    const { code, out, err } = await inspect(home, formatTokenList([child]))
    assert.deepEqual([code, err], [0, ''])
    const lines = out.split('\n').map(line => line.trim().replace(/ {2,}/g, ' '))
    assert.match(lines[0] ?? '', /^token: valid until \d{4}-\d\d-\d\d \d\d:\d\d UTC \(in 9d\)$/)
    assert.deepEqual(
      lines.slice(1).filter(line => !/^(until|id) /.test(line)),
      [
        acme.did,
        `lets use and pass on: ${user.did} [ok]`,
        "capabilities '/public', '/dms/deployment'",
        "topics '/nunet'",
        'on anybody',
        'passing on at most 2 times (depth 3)',
        `└─ ${user.did}`,
        `lets use and pass on: ${node.did} [ok]`,
        "capabilities '/public'",
        `on ${acme.did}`,
        'passing on not allowed (depth 1)',
        ''
      ]
    )
  })

  it('takes a list, single tokens a line each, a file, and names identities of this machine', async () => {
    await using home = await Home.create()
    const { did, key } = await home.addIdentity('org')
    const own = give({ did, key }, user)
    for (const text of [
      formatTokenList([own, parent]),
      `${formatToken(own)}\n${formatToken(parent)}\n`,
      JSON.stringify(
        JSON.parse(formatTokenList([own, parent]).replace(/("exp":)(\d+)/g, '$1"$2"')),
        null,
        2
      ).replace(/("exp": )"(\d+)"/g, '$1$2')
    ]) {
      const path = await home.write('tokens.json', text)
      for (const source of [text, path, 'tokens.json']) {
        const { code, out } = await inspect(home, source)
        assert.equal(code, 0, out)
        assert.match(out, /^token 1 of 2: valid[\s\S]*\n\ntoken 2 of 2: valid/)
        assert.ok(out.includes(`org (${did})`))
      }
    }
  })

  it('keeps each digit in JSON', async () => {
    await using home = await Home.create()
    const { code, out } = await inspect(home, '--output', 'json', formatToken(child))
    assert.equal(code, 0)
    assert.ok(out.includes(`"exp": ${LATER - 1n}`))
    const { valid, tokens } = JSON.parse(out)
    assert.equal(valid, true)
    const [root, leaf] = tokens[0].links
    assert.deepEqual(
      [root.issuer, root.subject, root.topics, root.depth, leaf.audience, leaf.capabilities],
      [acme.did, user.did, ['/nunet'], 3, acme.did, ['/public']]
    )
    assert.equal(leaf.refusal, undefined)
  })

  for (const [title, broken, code, place] of [
    ['has ended', give(acme, user, { expiresAtNs: 1n }), 'UCAN_EXPIRED', 0],
    [
      'asks for more than its parent gives',
      give(user, node, { chain: parent, capabilities: ['/x'] }),
      'UCAN_CAPABILITY_WIDENED',
      1
    ],
    [
      'rests on one that was changed',
      give(user, node, { chain: { ...parent, topics: ['/other'] } }),
      'UCAN_SIGNATURE',
      0
    ],
    [
      'is too deep',
      give(node, acme, { chain: give(user, node, { chain: { ...give(acme, user, { depth: 1n }) } }) }),
      'UCAN_DEPTH',
      0
    ]
  ] as const)
    it(`marks the link when a chain ${title}, and fails`, async () => {
      await using home = await Home.create()
      const { code: exit, out } = await inspect(home, '-o', 'json', formatToken(broken))
      assert.equal(exit, 1)
      const [{ valid, refusal, links }] = JSON.parse(out).tokens
      assert.deepEqual([valid, refusal.code], [false, code])
      const marks = links.map((link: { refusal?: { code: string } }) => link.refusal?.code)
      assert.deepEqual(
        marks,
        marks.map((_: unknown, index: number) => (index === place ? code : undefined))
      )
      const text = await inspect(home, formatToken(broken))
      assert.equal(text.code, 1)
      assert.match(text.out, new RegExp(`^token: not valid\\n.*\\(${code}\\)`))
    })

  it('tells what a context makes of them: held, accepted or why not, revoked', async () => {
    await using home = await Home.create()
    const org = await home.addIdentity('org')
    const { did } = await home.addIdentity('dms')
    const held = give(org, { did, key: node.key }, {})
    const run = async (...argv: string[]) =>
      assert.equal((await home.run(['cap', ...argv])).code, 0, argv.join(' '))
    await run('anchor', '-c', 'dms', '--provide', formatToken(held))
    const foreign = await inspect(home, '-c', 'dms', formatToken(held))
    assert.equal(foreign.code, 0, 'valid, whoever accepts it')
    assert.match(
      foreign.out,
      /context 'dms' holds it \(provide\); does not accept chains like this one:\n.*UCAN_NOT_ANCHORED/
    )
    await run('anchor', '-c', 'dms', '--root', org.did)
    assert.match(
      (await inspect(home, '-c', 'dms', formatToken(held))).out,
      /holds it \(provide\); accepts chains/
    )
    const revocation = (await home.run(['cap', 'revoke', '-c', 'org', formatToken(held)])).out.trim()
    const shown = await inspect(home, '-c', 'dms', revocation)
    assert.equal(shown.code, 0)
    assert.match(shown.out, /takes back from:[\s\S]*does not hold it; it takes back 1 of its anchors/)
    await run('anchor', '-c', 'dms', '--revoke', revocation)
    const revoked = await inspect(home, '-c', 'dms', formatToken(held))
    assert.equal(revoked.code, 1)
    assert.match(revoked.out, /UCAN_REVOKED/)
    assert.equal((await inspect(home, formatToken(held))).code, 0, 'without a context nothing is known of it')
    assert.match(
      (await inspect(home, '-c', 'nobody', formatToken(held))).err,
      /no capability context 'nobody'/
    )
  })

  it('names the place of a mistake', async () => {
    await using home = await Home.create()
    const bad = formatToken(child).replace(/("exp":)\d+(,"depth":1,"chain")/, '$1"x"$2')
    const worse = formatToken(child).replace(
      '"act":"delegate","iss":{"uri":"did:key',
      '"act":"delegate","iss":{"uri":"key'
    )
    const inner = formatToken(child).replace(/"chain":\{"dms":\{"act":"delegate"/, '"chain":{"dms":{"act":7')
    for (const [text, message] of [
      [formatToken(child).slice(0, -5), /not a token: expected .* at position \d+/],
      [`{"tok":[${formatToken(parent)},${bad}]}`, /token 2 of 2, link 1 of 2 from the leaf: .*"exp" must be/],
      [worse, /not a token: link 1 of 2 from the leaf: .*"iss" is not a DID/],
      [inner, /not a token: link 2 of 2 from the leaf: .*"act" must be a text/],
      [`${formatToken(parent)}\n{"dms":{}}`, /not a token: line 2, malformed token: "iss" is missing/],
      ['{"tok":3}', /not a token: .*a token is an object/],
      ['{}', /there is no token in it/]
    ] as const) {
      const { code, out, err } = await inspect(home, text)
      assert.deepEqual([code, out], [1, ''], err)
      assert.match(err, message)
    }
    for (const [source, message] of [
      ['nowhere.json', /^Error: cannot read '.*nowhere\.json': ENOENT/],
      ['.', /^Error: cannot read .*: it is a directory/],
      [await home.write('empty.json', '\n'), /^Error: there is no token in it/],
      [await home.write('long.json', 'x'.repeat(2 ** 21 + 1)), /holds more than 2097152 bytes/]
    ] as const)
      assert.match((await inspect(home, source)).err, message)
    await import('node:fs/promises').then(fs => fs.writeFile(home.join('binary'), Uint8Array.of(0xff)))
    assert.match((await inspect(home, 'binary')).err, /is not text/)
    assert.match((await inspect(home, '-o', 'xml', formatToken(child))).err, /unknown output format 'xml'/)
  })

  it('never lets text of a token command the terminal, and hides none of it', async () => {
    await using home = await Home.create()
    const names = Array.from({ length: 20 }, (_, index) => `/n${index}`)
    const evil = give(acme, user, {
      action: 'dance\u001b[2J',
      capabilities: ['/a\u001b[31m\n/fake', ...names]
    })
    const { out } = await inspect(home, formatToken(evil))
    assert.ok(!out.includes('\u001b'))
    assert.ok(!out.includes('\n/fake'))
    for (const name of names) assert.ok(out.includes(`'${name}'`), name)
  })

  it('shows a chain of the greatest length', async () => {
    await using home = await Home.create()
    let chain = give(acme, acme)
    for (let length = 1; length < 64; length++) chain = give(acme, acme, { chain })
    const { code, out } = await inspect(home, formatToken(chain))
    assert.equal(code, 0)
    assert.ok(out.split('\n').every(line => line.length < 200))
  })
})
