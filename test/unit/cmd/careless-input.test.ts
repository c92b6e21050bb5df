/** What a person types by mistake at `nunet key` and `nunet cap` is told, and never taken for something else. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseTokenList } from '../../../src/lib/ucan/index.ts'
import { Home, PASSPHRASE } from './harness.ts'

const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
const ENVIRONMENT = { environment: { DMS_PASSPHRASE: PASSPHRASE } }

async function twoParties(): Promise<{ home: Home; dms: string; token: string }> {
  const home = await Home.create()
  await home.addIdentity('user')
  const { did: dms } = await home.addIdentity('dms')
  const { out } = await home.run(['cap', 'grant', '--cap', '/public', '--duration', '1h', dms])
  return { home, dms, token: out.trim() }
}

describe('a token that could be of no use', () => {
  it('is not issued: none that ends beyond what a token can hold', async () => {
    const { home, dms } = await twoParties()
    await using _home = home
    const grant = ['cap', 'grant', '--cap', '/public', dms]
    for (const end of [
      ['--expiry', '9999-01-01'],
      ['--expiry', '2554-07-21T23:34:33.710Z'],
      ['--duration', '99999999999999999999h']
    ]) {
      const { code, out, err } = await home.run([...grant, ...end])
      assert.deepEqual([code, out], [1, ''], end.join(' '))
      assert.match(err, /^Error: no token lasts that long\nhint: .*2554-07-21T23:34:33.709Z/)
    }
    const last = await home.run([...grant, '--expiry', '2554-07-21T23:34:33.709Z'])
    assert.ok(parseTokenList(last.out.trim()).ok, last.err)
  })

  it('is not issued: none without a capability', async () => {
    const { home, dms } = await twoParties()
    await using _home = home
    for (const verb of ['grant', 'delegate'])
      for (const flags of [[], ['--cap', ''], ['--topic', '/nunet']]) {
        const { code, out, err } = await home.run(['cap', verb, ...flags, '--duration', '1h', dms])
        assert.deepEqual([code, out], [1, ''])
        assert.match(err, /^Error: a token without a capability allows nothing\nhint: .*--cap/)
      }
  })

  it('is not anchored: an empty list is not reported as added', async () => {
    const { home } = await twoParties()
    await using _home = home
    for (const flag of ['--provide', '--require', '--revoke'])
      for (const text of ['{}', '{"tok":[]}']) {
        const { code, out, err } = await home.run(['cap', 'anchor', flag, text])
        assert.deepEqual([code, out], [1, ''])
        assert.match(err, /^Error: there is no token in it\nhint: /)
      }
  })
})

describe('tokens on the command line', () => {
  it('may be in a file, for every command that takes them', async () => {
    const { home, token } = await twoParties()
    await using _home = home
    const file = await home.write('token.json', `${token}\n`)
    const anchored = await home.run(['cap', 'anchor', '-c', 'dms', '--provide', file])
    assert.equal(anchored.code, 0, anchored.err)
    assert.match((await home.run(['cap', 'list', '-c', 'dms'])).out, /provide:\n\t\{"dms"/)
    const revocation = await home.run(['cap', 'revoke', file])
    assert.equal(revocation.code, 0, revocation.err)
    const sent = await home.run(['cap', 'broadcast', '--proof', file, await home.write('r', revocation.out)])
    assert.match(sent.err, /^Error: the revocation was not sent/, 'it got as far as calling the node')
    const removed = await home.run(['cap', 'remove', '-c', 'dms', '--provide', file])
    assert.equal(removed.code, 0, removed.err)
    assert.match((await home.run(['cap', 'list', '-c', 'dms'])).out, /provide:\nrevoke/)
  })

  it('may be one a line, as `cap revoke` prints them', async () => {
    const { home, dms, token } = await twoParties()
    await using _home = home
    const other = (await home.run(['cap', 'grant', '--cap', '/x', '--duration', '1h', dms])).out
    const { code, err } = await home.run(['cap', 'anchor', '-c', 'dms', '--provide', `${token}\n${other}`])
    assert.equal(code, 0, err)
    assert.equal((await home.run(['cap', 'list', '-c', 'dms'])).out.match(/\t\{"dms"/g)?.length, 2)
  })

  it('are told apart from a file that is not there, and a file that holds none', async () => {
    const { home } = await twoParties()
    await using _home = home
    const text = await home.write('words.txt', 'no token here')
    for (const word of ['nowhere.json', text]) {
      const { code, err } = await home.run(['cap', 'anchor', '--provide', word])
      assert.equal(code, 1)
      assert.match(err, /^Error: not a token or token list\n.*\nhint: .*the name of a file/)
    }
  })

  it('that are empty are told as such by `cap inspect`', async () => {
    const { home } = await twoParties()
    await using _home = home
    for (const word of ['', ' ', await home.write('empty', '\n')])
      assert.match((await home.run(['cap', 'inspect', word])).err, /^Error: there is no token in it\nhint: /)
  })
})

describe('names of new keys and contexts', () => {
  const BAD = [
    '',
    ' ',
    ' a',
    'a ',
    'a\nb',
    'x\u001b[31m',
    'a\u202eb',
    '-x',
    '../evil',
    'a/b',
    'n'.repeat(129)
  ]

  it('are ones that can be seen, typed and listed', async () => {
    await using home = await Home.create()
    for (const name of BAD)
      for (const words of [
        ['key', 'new'],
        ['cap', 'new'],
        ['key', 'import', SEED]
      ]) {
        const [group = '', verb = '', ...rest] = words
        const { code, out, err } = await home.run([group, verb, '--', name, ...rest], ENVIRONMENT)
        assert.deepEqual([code, out], [1, ''], JSON.stringify(name))
        assert.match(err, /^Error: '.*' cannot be a name: .*\nhint: use letters/, JSON.stringify(name))
      }
    assert.equal((await home.run(['key', 'list'])).out, '')
  })

  it('of earlier ones stay usable, and do not break the list', async () => {
    await using home = await Home.create()
    await home.addIdentity('a\nb')
    assert.match((await home.run(['key', 'list'])).out, /^[^\n]+\n$/)
    const { code, err } = await home.run(['cap', 'list', '-c', 'a\nb'])
    assert.equal(code, 0, err)
  })

  it('nearly typed right are suggested', async () => {
    await using home = await Home.create()
    await home.addIdentity('worker')
    for (const words of [
      ['key', 'did', 'wroker'],
      ['key', 'unlock', 'wroker'],
      ['cap', 'list', '-c', 'wroker'],
      ['cap', 'seal', '-c', 'wroker'],
      ['cap', 'anchor', '-c', 'wroker', '--root', 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'],
      [
        ...['cap', 'grant', '-c', 'wroker', '--cap', '/x', '--duration', '1h'],
        'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
      ]
    ]) {
      const { code, err } = await home.run(words, ENVIRONMENT)
      assert.equal(code, 1)
      assert.match(err, /there is no (key|capability context) 'wroker'.*\nhint: did you mean 'worker'\?/)
    }
    assert.match(
      (await home.run(['cap', 'list', '-c', 'zzz'])).err,
      /hint: make one with 'nunet cap new zzz'/
    )
  })

  it('of a wallet cannot be unlocked', async () => {
    await using home = await Home.create()
    assert.match((await home.run(['key', 'unlock', 'ledger:x'])).err, /^Error: 'ledger:x' is a wallet/)
  })
})

describe('nunet cap lint', () => {
  it('does not call well what it could not read', async () => {
    const { home } = await twoParties()
    await using _home = home
    const { code } = await home.run(['cap', 'lint', '--all'])
    assert.equal(code, 0)
    await home.write('.nunet/cap/torn.cap', '{"broken')
    const text = await home.run(['cap', 'lint', '--all'])
    assert.equal(text.code, 1)
    assert.match(text.err, /context 'torn' is left out: .*\n.*1 could not be read\n$/)
    const json = await home.run(['cap', 'lint', '--all', '-o', 'json'])
    assert.deepEqual([json.code, JSON.parse(json.out).unreadable], [1, ['torn']])
    assert.equal((await home.run(['cap', 'lint', '-c', 'dms'])).code, 0, 'of another one nothing was asked')
  })

  it('takes no time before now', async () => {
    const { home } = await twoParties()
    await using _home = home
    for (const flag of ['--warn', '--error', '--max-life'])
      assert.match((await home.run(['cap', 'lint', flag, '-1h'])).err, /^Error: --.* must not be negative/)
  })
})

describe('--output', () => {
  it("takes 'text' and 'table' for the same, whichever a command prefers", async () => {
    const { home, token } = await twoParties()
    await using _home = home
    for (const words of [
      ['cap', 'list'],
      ['cap', 'inspect', token],
      ['cap', 'lint'],
      ['key', 'ledger-alias', 'list']
    ])
      for (const format of ['text', 'table'])
        assert.equal((await home.run([...words, '-o', format])).code, 0, `${words} ${format}`)
  })

  it('json of `cap revocations` has the end of a token to the nanosecond, as other commands do', async () => {
    const { home, token } = await twoParties()
    await using _home = home
    const { out } = await home.run(['cap', 'revoke', token])
    await home.run(['cap', 'anchor', '-c', 'dms', '--revoke', out])
    const exp = /"exp":(\d+)/.exec(token)?.[1]
    const shown = (await home.run(['cap', 'revocations', '-o', 'json'])).out
    assert.ok(shown.includes(`"expires": ${exp}`), shown)
  })
})

describe('two commands at once', () => {
  it('make one key of a name: the DID that was printed stays', async () => {
    await using home = await Home.create()
    const both = await Promise.all([0, 1].map(() => home.run(['key', 'new', 'twin'], ENVIRONMENT)))
    const [first, second] = both.toSorted((a, b) => a.code - b.code)
    assert.deepEqual([first?.code, second?.code, second?.out], [0, 1, ''])
    assert.match(second?.err ?? '', /^Error: operation cancelled: key 'twin' .*\nhint: /)
    assert.equal((await home.run(['key', 'did', 'twin'], ENVIRONMENT)).out, first?.out)
  })
})

describe('completion', () => {
  it('knows the contexts and keys of this machine, where one is expected', async () => {
    const { home } = await twoParties()
    await using _home = home
    const complete = async (...words: string[]): Promise<string> =>
      (await home.run(['__complete', '--', ...words])).out
    assert.equal(await complete('cap', 'list', '-c', ''), 'dms\nuser\n')
    assert.equal(await complete('cap', 'lint', '--context', 'd'), 'dms\n')
    assert.equal(await complete('key', 'unlock', 'us'), 'user\n')
    assert.equal(await complete('key', 'new', ''), '')
    assert.equal(await complete('cap', 'list', '-o', ''), '')
    await home.addIdentity('a\nb')
    assert.equal(await complete('key', 'did', 'a'), '', 'a name that would be two words is left out')
  })

  it('says nothing when there is nothing to be had', async () => {
    await using home = await Home.create()
    await home.write('.nunet', 'no directory')
    const { code, out, err } = await home.run(['__complete', '--', 'key', 'did', ''])
    assert.deepEqual([code, out, err], [0, '', ''])
  })
})
