/** Sealed contexts behind the commands: who is asked for a passphrase, what stays sealed, what doctor and up make of them. */

import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Home, MemoryTerminal, PASSPHRASE } from './harness.ts'

const NOBODY = { environment: { DMS_PASSPHRASE: '' } }

async function ok(home: Home, ...argv: string[]): Promise<string> {
  const { code, out, err } = await home.run(argv)
  assert.equal(code, 0, `${argv.join(' ')}: ${err}`)
  return out.trim()
}

/** Whether some file of the contexts shows a text. */
async function shows(home: Home, text: string): Promise<boolean> {
  const directory = home.join('.nunet/cap')
  const contents = await Promise.all(
    (await readdir(directory)).map(name => readFile(`${directory}/${name}`, 'utf8'))
  )
  return contents.some(content => content.includes(text))
}

describe('nunet cap new --encrypt', () => {
  it('makes a context that every command reads and changes with its key, and that stays sealed', async () => {
    await using home = await Home.create()
    const { did: org } = await home.addIdentity('org')
    const { did: user } = await home.addIdentity('user', { context: false })
    assert.match(
      await ok(home, 'cap', 'new', '--encrypt', 'user'),
      /Created capability context 'user' for did:key:\S+, sealed$/
    )
    await ok(home, 'cap', 'anchor', '-c', 'user', '--root', org)
    const token = await ok(home, 'cap', 'grant', '-c', 'org', '--cap', '/public', '--duration', '90d', user)
    await ok(home, 'cap', 'anchor', '--provide', token)
    assert.match(await home.read('.nunet/cap/user.cap'), /^\{"sealed":1,/)
    assert.equal(await shows(home, org), true, 'in the file of org')
    assert.match(
      await ok(home, 'cap', 'list'),
      new RegExp(`^roots:\\n\\t${org}\\nrequire:\\nprovide:\\n\\t\\{"dms"`)
    )
    assert.match(await ok(home, 'cap', 'delegate', '--cap', '/public', '--auto-expire', org), /"chain"/)
    assert.match(await ok(home, 'cap', 'inspect', '-c', 'user', token), /context 'user' holds it \(provide\)/)
    await ok(home, 'cap', 'lint', '-c', 'user')
    await ok(home, 'cap', 'remove', '--root', org)
    assert.match(await ok(home, 'cap', 'list'), /^roots:\nrequire:/)
    assert.match(await home.read('.nunet/cap/user.cap'), /^\{"sealed":1,/)
  })

  it('replaces a plain context without leaving anything of it to read', async () => {
    await using home = await Home.create()
    const { did: org } = await home.addIdentity('org', { context: false })
    await home.addIdentity('user')
    await ok(home, 'cap', 'anchor', '--root', org)
    assert.equal(await shows(home, org), true)
    await ok(home, 'cap', 'new', '--force', '--encrypt', 'user')
    assert.equal(await shows(home, org), false)
    assert.match(
      await ok(home, 'cap', 'new', '--force', 'user'),
      /, sealed$/,
      'one that is replaced stays sealed'
    )
  })

  it('is refused for a wallet before the wallet is asked', async () => {
    await using home = await Home.create()
    const { code, err } = await home.run(['cap', 'new', '--encrypt', 'ledger:user'])
    assert.equal(code, 1)
    assert.match(err, /^Error: the context of wallet 'ledger:user' cannot be sealed\nhint: .*--encrypt/)
  })
})

describe('nunet cap seal and unseal', () => {
  it('turn a context over and back to the byte, anchors and all', async () => {
    await using home = await Home.create()
    const { did: org } = await home.addIdentity('org', { context: false })
    await home.addIdentity('user')
    await ok(home, 'cap', 'anchor', '--root', org)
    const plain = await home.read('.nunet/cap/user.cap')
    assert.equal(await ok(home, 'cap', 'seal'), "Capability context 'user' is now sealed")
    assert.equal(await shows(home, org), false, 'backups included')
    assert.match(await ok(home, 'cap', 'list'), new RegExp(org))
    assert.equal(await ok(home, 'cap', 'seal'), "Capability context 'user' is already sealed")
    assert.equal(await ok(home, 'cap', 'unseal'), "Capability context 'user' is now plain")
    assert.equal(await home.read('.nunet/cap/user.cap'), plain)
    const again = await home.run(['cap', 'unseal'], NOBODY)
    assert.deepEqual([again.code, again.out], [0, "Capability context 'user' is already plain\n"])
  })

  it('say what is missing: a context, a key of this machine, the right key', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    await home.addIdentity('other', { context: false })
    assert.match(
      (await home.run(['cap', 'seal', '-c', 'nobody'])).err,
      /^Error: there is no capability context 'nobody'\nhint: /
    )
    assert.match(
      (await home.run(['cap', 'seal', '-c', 'eternl'])).err,
      /^Error: the context of wallet 'eternl' cannot be sealed\n/
    )
    await writeFile(home.join('.nunet/cap/other.cap'), await home.read('.nunet/cap/user.cap'))
    assert.match(
      (await home.run(['cap', 'seal', '-c', 'other'])).err,
      /^Error: the capability context belongs to did:key:/
    )
  })
})

describe('a sealed context', () => {
  it('asks for the passphrase where a plain one does not, once, and says so when nobody is there', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    assert.equal((await home.run(['cap', 'list'], NOBODY)).code, 0)
    await ok(home, 'cap', 'seal')
    const wrong = await home.run(['cap', 'list'], { environment: { DMS_PASSPHRASE: 'wrong' } })
    assert.match(wrong.err, /^Error: the passphrase does not open the key\n/)
    for (const argv of [
      ['cap', 'list'],
      ['cap', 'anchor', '--root', did],
      ['cap', 'lint'],
      ['cap', 'unseal']
    ]) {
      const { code, out, err } = await home.run(argv, NOBODY)
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, /^Error: passphrase not found for key 'user'\nhint: /)
      const terminal = new MemoryTerminal()
      terminal.canAsk = true
      terminal.answers = [PASSPHRASE]
      assert.equal((await home.run(argv, { ...NOBODY, terminal })).code, 0, argv.join(' '))
      assert.equal(terminal.questions.length, 1)
    }
  })

  it('that was changed or cut is an error naming the file', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    await ok(home, 'cap', 'seal')
    const path = home.join('.nunet/cap/user.cap')
    const text = await readFile(path, 'utf8')
    for (const broken of [text.slice(0, -40), text.replace(/"box":"..../, '"box":"AAAA')]) {
      await writeFile(path, broken)
      for (const argv of [
        ['cap', 'list'],
        [
          'cap',
          'grant',
          '--cap',
          '/a',
          '--duration',
          '1h',
          'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
        ]
      ]) {
        const { code, out, err } = await home.run(argv)
        assert.deepEqual([code, out], [1, ''])
        assert.match(
          err,
          /the sealed capability file is damaged: .*\/cap\/user\.cap'\)\nhint: restore one of its backups/
        )
      }
    }
  })

  it('does not open with another key, and the name of its owner is known without any', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    await ok(home, 'cap', 'seal')
    const token = await ok(home, 'cap', 'grant', '--cap', '/public', '--duration', '90d', did)
    const shown = await home.run(['cap', 'inspect', token], NOBODY)
    assert.ok(shown.out.includes(`user (${did})`), shown.out)
    await home.addIdentity('user', { context: false })
    assert.match(
      (await home.run(['cap', 'list'])).err,
      /^Error: the sealed capability file belongs to did:key:/
    )
  })

  it('is looked at by doctor when the key is at hand, and is no fault when it is not', async () => {
    await using home = await Home.create()
    const { did: user } = await home.addIdentity('user')
    await home.addIdentity('dms')
    await ok(home, 'cap', 'anchor', '-c', 'dms', '--root', user)
    await ok(home, 'cap', 'seal')
    const find = async (environment: Record<string, string>): Promise<Record<string, string>> => {
      const { out } = await home.run(['doctor', '--output', 'json'], { environment })
      const found: { name: string; status: string }[] = JSON.parse(out)
      return Object.fromEntries(found.map(({ name, status }) => [name, status]))
    }
    const without = await find({ DMS_PASSPHRASE: '' })
    assert.deepEqual([without["context 'user'"], without['owner']], ['skip', 'ok'])
    const withKey = await find({})
    assert.deepEqual([withKey["context 'user'"], withKey['owner']], ['ok', 'ok'])
  })

  it('is left as it is by up, which anchors in it', async () => {
    await using home = await Home.create()
    const { did: user } = await home.addIdentity('user')
    await home.addIdentity('dms')
    await ok(home, 'cap', 'seal', '-c', 'user')
    await ok(home, 'cap', 'seal', '-c', 'dms')
    const { did: org } = await home.addIdentity('org')
    const token = await home.write(
      'token.json',
      await ok(home, 'cap', 'grant', '-c', 'org', '--cap', '/public', '--duration', '90d', user)
    )
    const up = await home.run([
      'up',
      '--no-run',
      '--trust',
      org,
      '--provide-token',
      token,
      '--bootstrap',
      'none'
    ])
    assert.equal(up.code, 0, up.err)
    for (const name of ['user', 'dms'])
      assert.match(await home.read(`.nunet/cap/${name}.cap`), /^\{"sealed":1,/)
    const list = JSON.parse(await ok(home, 'cap', 'list', '-c', 'dms', '--output', 'json'))
    assert.deepEqual([list.roots, list.require.length, list.provide.length], [[user], 1, 1])
  })
})
