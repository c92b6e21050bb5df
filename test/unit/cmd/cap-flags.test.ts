/** Flags of `nunet cap` beyond the guide: actions, JSON lists, removal by id, how many were revoked. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatTokenList, parseTokenList, type Token } from '../../../src/lib/ucan/index.ts'
import { bytesToHex, systemClock } from '../../../src/utils/index.ts'
import { token } from '../lib/parties.ts'
import { Home } from './harness.ts'

async function ok(home: Home, ...argv: string[]): Promise<string> {
  const { code, out, err } = await home.run(argv)
  assert.equal(code, 0, `${argv.join(' ')}: ${err}`)
  return out.trim()
}

function tokensOf(text: string): readonly Token[] {
  const parsed = parseTokenList(text)
  assert.ok(parsed.ok)
  return parsed.value
}

describe('nunet cap grant --action', () => {
  for (const action of ['delegate', 'invoke', 'broadcast'])
    it(`makes a token for '${action}'`, async () => {
      await using home = await Home.create()
      const { did } = await home.addIdentity('user')
      const flags = ['--cap', '/public', '--topic', '/nunet', '--duration', '1h', '--action', action]
      assert.equal(tokensOf(await ok(home, 'cap', 'grant', ...flags, did))[0]?.action, action)
    })

  it("is 'delegate' unless said, and nothing else", async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    const base = ['cap', 'grant', '--cap', '/public', '--duration', '1h', did]
    assert.equal(tokensOf(await ok(home, ...base))[0]?.action, 'delegate')
    for (const action of ['revoke', 'dance', ''])
      assert.match(
        (await home.run([...base, '--action', action])).err,
        /^Error: unknown action ".*"\nhint: choose 'delegate'/
      )
  })
})

describe('nunet cap list --output json', () => {
  it('has each token with its id, exact to the digit', async () => {
    await using home = await Home.create()
    const { did: user } = await home.addIdentity('user')
    const { did: dms } = await home.addIdentity('dms')
    const list = await ok(home, 'cap', 'grant', '--cap', '/public', '--duration', '90d', dms)
    await ok(home, 'cap', 'anchor', '-c', 'dms', '--provide', list)
    await ok(home, 'cap', 'anchor', '-c', 'dms', '--root', user)
    const text = await ok(home, 'cap', 'list', '-c', 'dms', '--output', 'json')
    const [token] = tokensOf(list)
    assert.ok(token?.nonce)
    assert.ok(text.includes(`"exp": ${token.expiresAtNs}`))
    const { context, did, roots, require, provide, revoke, aside } = JSON.parse(text)
    assert.deepEqual([context, did, roots, require, revoke, aside], ['dms', dms, [user], [], [], []])
    assert.deepEqual([provide.length, provide[0].id], [1, bytesToHex(token.nonce)])
    assert.equal(provide[0].token.dms.sub.uri, dms)
    assert.match((await home.run(['cap', 'list', '-o', 'yaml'])).err, /^Error: unknown output format 'yaml'/)
  })

  it('has what was set aside with the reason', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    const text = await home.read('.nunet/cap/user.cap')
    await home.write('.nunet/cap/user.cap', text.replace('"roots":[]', '"roots":[{"uri":"x"}]'))
    const { out, err } = await home.run(['cap', 'list', '-o', 'json'])
    assert.deepEqual(JSON.parse(out).aside, [
      {
        list: 'roots',
        text: '{"uri":"x"}',
        code: 'UCAN_MALFORMED',
        reason: 'malformed token: "roots" is not a DID'
      }
    ])
    assert.match(err, /^warning: an entry of the file cannot be used: /)
    await ok(home, 'cap', 'remove', '--aside')
    assert.deepEqual(JSON.parse(await ok(home, 'cap', 'list', '-o', 'json')).aside, [])
  })
})

describe('nunet cap remove', () => {
  it('takes the id of a token in place of the whole', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    const { did: dms } = await home.addIdentity('dms')
    for (const list of ['require', 'provide'] as const) {
      const token = await ok(
        home,
        'cap',
        'grant',
        '--cap',
        '/public',
        '--duration',
        '1h',
        list === 'require' ? did : dms
      )
      await ok(home, 'cap', 'anchor', '-c', 'dms', `--${list}`, token)
      const id = bytesToHex(tokensOf(token)[0]?.nonce ?? new Uint8Array())
      const other = await home.run(['cap', 'remove', '-c', 'dms', `--${list}`, 'abcd'])
      assert.match(other.err, /^Error: capability context 'dms' has no such anchor\nhint: /)
      assert.equal(await ok(home, 'cap', 'remove', '-c', 'dms', `--${list}`, id), '')
      assert.deepEqual(JSON.parse(await ok(home, 'cap', 'list', '-c', 'dms', '-o', 'json'))[list], [])
    }
  })

  it('does not choose between two of the same id', async () => {
    await using home = await Home.create()
    const { did, key } = await home.addIdentity('user')
    const nonce = Uint8Array.of(1, 2)
    const expiresAtNs = systemClock.nowNs() + 10n ** 15n
    const list = ['/a', '/b'].map(name =>
      token({ did, key }, { subject: did, capabilities: [name], nonce, expiresAtNs })
    )
    await ok(home, 'cap', 'anchor', '--require', formatTokenList(list))
    const { code, err } = await home.run(['cap', 'remove', '--require', '0102'])
    assert.equal(code, 1)
    assert.match(err, /^Error: 2 anchors have the id '0102'\nhint: give the whole token as JSON\n$/)
  })

  it('wants to know what to remove, and one thing only', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    assert.equal((await home.run(['cap', 'remove'])).code, 1)
    assert.equal((await home.run(['cap', 'remove', '--aside', '--require', 'abcd'])).code, 1)
  })
})

describe('nunet cap revoke', () => {
  it('prints one revocation a line and nothing else, and says how many beside it', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    const list = await ok(home, 'cap', 'grant', '--cap', '/b', '--duration', '1h', did)
    const both = `{"tok":[${list.slice('{"tok":['.length, -2)},${list.slice('{"tok":['.length, -2)}]}`
    const { code, out, err } = await home.run(['cap', 'revoke', both])
    assert.equal(code, 0)
    assert.match(out, /^(?:\{"dms":\{"act":"revoke",[^\n]*\}\}\n){2}$/)
    assert.equal(err, 'Revoked tokens: 2\n')
  })
})
