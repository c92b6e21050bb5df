/** Taking tokens back from the command line, where no node runs: nothing is lost, and each step says what to do next. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeKnowledge, readKnowledge } from '../../../src/cmd/cap/revocation/knowledge.ts'
import { Home } from './harness.ts'

/** A home whose user has given a token away, with a daemon address nobody listens on. */
async function setUp() {
  const home = await Home.create()
  await home.write('dms_config.json', JSON.stringify({ rest: { addr: '127.0.0.1', port: 1 } }))
  const [user, friend] = [await home.addIdentity('user'), await home.addIdentity('friend')]
  await home.addIdentity('dms')
  const granted = await home.run(['cap', 'grant', '--cap', '/public', '--duration', '24h', friend.did])
  assert.equal(granted.code, 0, granted.err)
  return { home, user, friend, token: granted.out.trim() }
}

describe('cap revoke --broadcast', () => {
  it('without a node prints the revocation, keeps it in the context, and says how to send it later', async () => {
    const { home, token } = await setUp()
    await using _home = home
    const { code, out, err } = await home.run(['cap', 'revoke', '--broadcast', token])
    assert.equal(code, 1)
    assert.match(out, /^\{"dms":\{"act":"revoke".*\}\n$/)
    assert.match(err, /^Error: the revocation was not sent: /m)
    assert.match(err, /hint: .*nunet cap broadcast -c user/)
    assert.ok((await home.read('.nunet', 'cap', 'user.cap')).includes(out.trim()))
  })

  it('signs nothing for a token of somebody else, and sends nothing', async () => {
    const { home, token } = await setUp()
    await using _home = home
    const { code, out, err } = await home.run(['cap', 'revoke', '-c', 'friend', '--broadcast', token])
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /only that DID can revoke it/)
  })

  it('is what --via is for', async () => {
    const { home, token } = await setUp()
    await using _home = home
    const { code, err } = await home.run(['cap', 'revoke', '--via', 'user', token])
    assert.notEqual(code, 0)
    assert.match(err, /--via is of use with '--broadcast' only/)
  })
})

describe('cap broadcast', () => {
  it('takes what cap revoke printed, several lines as well, and nothing else', async () => {
    const { home, token, friend } = await setUp()
    await using _home = home
    const second = await home.run(['cap', 'grant', '--cap', '/public', '--duration', '24h', friend.did])
    const both = `{"tok":[${[token, second.out].map(text => text.trim().slice(8, -2)).join(',')}]}`
    const lines = (await home.run(['cap', 'revoke', both])).out
    assert.equal(lines.trim().split('\n').length, 2)
    for (const text of [lines, lines.trim().split('\n')[0] ?? '', `{\n${lines.split('\n')[0]?.slice(1)}`]) {
      const { code, err } = await home.run(['cap', 'broadcast', text])
      assert.equal(code, 1)
      assert.match(err, /^Error: the revocation was not sent/, 'it got as far as calling the node')
    }
    for (const [text, reason] of [
      [token, /this is no revocation/],
      [`${lines}${token}`, /this is no revocation/],
      ['{}', /there is no token in it/],
      ['nonsense', /not a token or token list/],
      [`${lines}nonsense`, /not a token or token list/]
    ] as const) {
      const { code, err } = await home.run(['cap', 'broadcast', text])
      assert.notEqual(code, 0, text)
      assert.match(err, reason)
    }
  })
})

describe('cap revocations', () => {
  it("without a node shows what the node's file says, for people and for programs", async () => {
    const { home, token, user, friend } = await setUp()
    await using _home = home
    const none = await home.run(['cap', 'revocations'])
    assert.deepEqual([none.code, none.out], [0, '0 revocations\n'])
    const revocation = (await home.run(['cap', 'revoke', token])).out
    await home.run(['cap', 'anchor', '-c', 'dms', '--revoke', revocation])
    const { code, out, err } = await home.run(['cap', 'revocations'])
    assert.equal(code, 0)
    const [head, blank, parties, what] = out.split('\n')
    assert.deepEqual([head, blank, parties], ['1 revocation', '', `${user.did} took back from ${friend.did}`])
    assert.match(what ?? '', /^ {4}\/public, until \d{4}-/)
    assert.match(err, /The node does not run: .*nunet run -c dms/)
    const data = JSON.parse((await home.run(['cap', 'revocations', '-o', 'json'])).out)
    assert.deepEqual([data.source, data.current, data.revocations.length], ['file', undefined, 1])
    assert.deepEqual(
      [data.revocations[0].issuer, data.revocations[0].subject, data.revocations[0].capabilities],
      [user.did, friend.did, ['/public']]
    )
    assert.equal((await home.run(['cap', 'revocations', '-o', 'xml'])).code === 0, false)
  })
})

describe('the age of knowledge', () => {
  it('is told in words', () => {
    const report = (reply: Record<string, unknown>): string =>
      describeKnowledge(readKnowledge(reply), Date.UTC(2026, 0, 1, 12))
    assert.equal(report({ Current: true, KnownAsOf: '2026-01-01T12:00:00.000Z', Count: 3 }), 'current')
    assert.match(
      report({ Current: false, KnownAsOf: '2026-01-01T09:00:00.000Z' }),
      /^known as of 2026-01-01T09:00:00.000Z, 3 h.* ago; no other node has answered since$/
    )
    for (const reply of [{}, { KnownAsOf: 'yesterday' }, { KnownAsOf: 7 }, { Current: 'true' }])
      assert.equal(report(reply), 'never compared with another node')
  })

  it('is read from whatever a node says', () => {
    assert.deepEqual(readKnowledge({ Count: 'many', TurnedAway: 2 }), {
      isCurrent: false,
      knownAsOfMs: undefined,
      count: 0,
      turnedAway: 2
    })
  })
})
