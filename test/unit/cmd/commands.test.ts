/** `key`, `cap`, `config`, `version` and `completion` on real files. */

import assert from 'node:assert/strict'
import { access, stat } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Home, MemoryTerminal, PASSPHRASE } from './harness.ts'

const DID = /^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]+\n$/

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false
  )
}

describe('nunet key', () => {
  it('makes a key that only its owner can read and prints its DID, which key did prints again', async () => {
    await using home = await Home.create()
    const made = await home.run(['key', 'new', 'user'])
    assert.equal(made.code, 0)
    assert.match(made.out, DID)
    assert.equal((await stat(home.join('.nunet/key/user.json'))).mode & 0o777, 0o600)
    const shown = await home.run(['key', 'did', 'user'])
    assert.equal(shown.out, made.out)
    assert.equal((await home.run(['key', 'list'])).out, 'user\n')
  })

  it('asks for the passphrase twice and writes nothing when the two differ', async () => {
    await using home = await Home.create()
    const terminal = new MemoryTerminal()
    terminal.canAsk = true
    terminal.answers = ['one', 'two']
    const { code, err } = await home.run(['key', 'new', 'user'], {
      terminal,
      environment: { DMS_PASSPHRASE: '' }
    })
    assert.equal(code, 1)
    assert.match(err, /^Error: the two passphrases differ\nhint: /)
    assert.equal(await exists(home.join('.nunet/key/user.json')), false)
  })

  it('says what to do when nobody can be asked', async () => {
    await using home = await Home.create()
    const { code, err } = await home.run(['key', 'new', 'user'], { environment: { DMS_PASSPHRASE: '' } })
    assert.equal(code, 1)
    assert.match(err, /^Error: passphrase not found for key 'user'\nhint: set DMS_PASSPHRASE/)
  })

  it('replaces a key only after a yes', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    const before = await home.read('.nunet/key/user.json')
    assert.match(
      (await home.run(['key', 'new', 'user'])).err,
      /^Error: operation cancelled: key 'user' exists/
    )
    const terminal = new MemoryTerminal()
    terminal.canAsk = true
    terminal.answers = ['n']
    assert.match(
      (await home.run(['key', 'new', 'user'], { terminal })).err,
      /^Error: operation cancelled by user/
    )
    assert.equal(await home.read('.nunet/key/user.json'), before)
    assert.equal((await home.run(['key', 'new', '--force', 'user'])).code, 0)
    assert.notEqual(await home.read('.nunet/key/user.json'), before)
  })

  it('tells a missing key, a wrong passphrase and a damaged file apart, one line each', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    await home.write('.nunet/key/broken.json', '{"crypto": ')
    for (const [argv, environment, message] of [
      [
        ['key', 'did', 'nobody'],
        {},
        /^Error: there is no key 'nobody' in '.*'\nhint: make one with 'nunet key new nobody'\n$/
      ],
      [
        ['key', 'did', 'user'],
        { DMS_PASSPHRASE: 'wrong' },
        /^Error: the passphrase does not open the key\nhint: .*\n$/
      ],
      [['key', 'did', 'broken'], {}, /^Error: the key file is damaged: .*\nhint: .*\n$/],
      [['key', 'did', '../user'], {}, /^Error: .*\n/]
    ] as const) {
      const { code, out, err } = await home.run(argv, { environment })
      assert.equal(code, 1, argv.join(' '))
      assert.equal(out, '')
      assert.match(err, message)
    }
  })
})

describe('nunet cap', () => {
  it('makes a context, anchors without a passphrase, lists and removes', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    await home.addIdentity('dms', { context: false })
    assert.match(
      (await home.run(['cap', 'new', 'dms'])).out,
      /^Using key '.*dms\.json'\nCreated capability context 'dms' for did:key:/
    )
    const noKey = { environment: { DMS_PASSPHRASE: '' } }
    const anchored = await home.run(['cap', 'anchor', '-c', 'dms', '--root', did], noKey)
    assert.deepEqual(
      [anchored.code, anchored.out, anchored.err],
      [0, "Added root anchor to capability context 'dms'\n", '']
    )
    assert.equal(
      (await home.run(['cap', 'list', '-c', 'dms'], noKey)).out,
      `roots:\n\t${did}\nrequire:\nprovide:\nrevoke:\n`
    )
    const removed = await home.run(['cap', 'remove', '-c', 'dms', '--root', did], noKey)
    assert.deepEqual([removed.code, removed.out], [0, ''])
    assert.match(
      (await home.run(['cap', 'remove', '-c', 'dms', '--root', did], noKey)).err,
      /^Error: capability context 'dms' has no such anchor/
    )
  })

  it('carries a grant through anchor, delegation and removal as the restricted-network guide does', async () => {
    await using home = await Home.create()
    await home.addIdentity('org')
    const { did: user } = await home.addIdentity('user')
    const { did: dms } = await home.addIdentity('dms')
    const granted = await home.run([
      'cap',
      'grant',
      '-c',
      'org',
      '--cap',
      '/dms/deployment,/public',
      '-t',
      '/nunet',
      '--duration',
      '1h',
      user
    ])
    assert.match(granted.out, /^\{"tok":\[\{"dms":.*\}\]\}\n$/)
    assert.equal((await home.run(['cap', 'anchor', '--provide', granted.out.trim()])).code, 0)
    const delegated = await home.run([
      'cap',
      'delegate',
      '--cap',
      '/dms/deployment',
      '--topic',
      '/nunet',
      '--auto-expire',
      dms
    ])
    assert.equal(delegated.code, 0, delegated.err)
    assert.equal((await home.run(['cap', 'anchor', '-c', 'dms', '--provide', delegated.out.trim()])).code, 0)
    const listed = await home.run(['cap', 'list', '-c', 'dms'])
    assert.match(listed.out, /provide:\n\t\{"dms":\{.*"sub":\{"uri":"did:key/)
    const single = /\t(\{.*\})/.exec(listed.out)?.[1] ?? ''
    assert.equal((await home.run(['cap', 'remove', '-c', 'dms', '--provide', single])).code, 0)
    assert.equal((await home.run(['cap', 'list', '-c', 'dms'])).out, 'roots:\nrequire:\nprovide:\nrevoke:\n')
  })

  it('says which rule a delegation breaks, and prints no token', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    const { code, out, err } = await home.run([
      'cap',
      'delegate',
      '--cap',
      '/dms/deployment',
      '--duration',
      '1h',
      did
    ])
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /^Error: context 'user' cannot delegate this\n.*\(UCAN_/)
  })

  it('revokes a token of its own', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    const { did } = await home.addIdentity('dms')
    const granted = await home.run(['cap', 'grant', '--cap', '/public', '--duration', '1h', did])
    const revoked = await home.run(['cap', 'revoke', granted.out.trim()])
    assert.match(revoked.out, /^\{"dms":\{"act":"revoke",.*\}\}\n$/)
    assert.equal((await home.run(['cap', 'anchor', '-c', 'dms', '--revoke', revoked.out.trim()])).code, 0)
  })

  it('leaves the context as it was when a token is forged, malformed or has expired', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    const { did } = await home.addIdentity('dms')
    const before = await home.read('.nunet/cap/dms.cap')
    const good = (await home.run(['cap', 'grant', '--cap', '/public', '--duration', '1h', did])).out.trim()
    for (const token of [good.replace('/public', '/dms'), '{"tok":[{"dms":{}}]}', 'nonsense', '']) {
      const { code, err } = await home.run(['cap', 'anchor', '-c', 'dms', '--require', token])
      assert.equal(code, 1)
      assert.match(err, /^Error: /)
    }
    assert.equal(await home.read('.nunet/cap/dms.cap'), before)
    assert.match(
      (await home.run(['cap', 'grant', '--cap', '/public', '--expiry', '2020-01-01', did])).err,
      /would have expired already/
    )
    assert.match(
      (
        await home.run([
          'cap',
          'delegate',
          '--cap',
          '/public',
          '--self-sign',
          'maybe',
          '--duration',
          '1h',
          did
        ])
      ).err,
      /invalid self-sign option "maybe"/
    )
    assert.match(
      (await home.run(['cap', 'anchor', '-c', 'dms', '--root', 'did:nonsense'])).err,
      /^Error: 'did:nonsense' is not a DID/
    )
  })

  it('asks before a context is replaced', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    assert.match(
      (await home.run(['cap', 'new', 'user'])).err,
      /^Error: operation cancelled: capability context 'user' exists/
    )
    assert.equal((await home.run(['cap', 'new', 'user', '--yes'])).code, 0)
  })

  it('refuses a context that belongs to another key', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    await home.addIdentity('other')
    await home.write('.nunet/cap/user.cap', await home.read('.nunet/cap/other.cap'))
    assert.match(
      (await home.run(['cap', 'grant', '--cap', '/public', '--duration', '1h', did])).err,
      /^Error: could not create security context: capability context 'user' belongs to/
    )
  })
})

describe('nunet config', () => {
  it('creates the file, sets a key and shows it with four spaces, all on standard error', async () => {
    await using home = await Home.create()
    const set = await home.run(['config', 'set', 'rest.port', '10000'])
    assert.deepEqual([set.code, set.out], [0, ''])
    assert.match(set.err, /^Created config file: .*dms_config\.json\nApplied changes\.\n$/)
    assert.match((await home.run(['config', 'get', 'REST.port'])).err, /^Found config file at: .*\n10000\n$/)
    assert.match(
      (await home.run(['config', 'get', 'rest'])).err,
      /\n\{\n {4}"addr": "127\.0\.0\.1",\n {4}"port": 10000\n\}\n$/
    )
  })

  it('refuses unknown keys and wrong types', async () => {
    await using home = await Home.create()
    assert.match((await home.run(['config', 'get', 'no.such'])).err, /^Error: key "no\.such" not found/)
    assert.match(
      (await home.run(['config', 'set', 'rest.port', 'many'])).err,
      /^Error: failed to set config: /
    )
  })

  it('lets flags win over the environment, and that over the file', async () => {
    await using home = await Home.create()
    await home.run(['config', 'set', 'rest.port', '1'])
    const environment = { DMS_REST_PORT: '2' }
    assert.match((await home.run(['config', 'get', 'rest.port'], { environment })).err, /\n2\n$/)
    assert.match(
      (await home.run(['--rest-port', '3', 'config', 'get', 'rest.port'], { environment })).err,
      /\n3\n$/
    )
  })

  it('opens the editor and checks what it wrote', async () => {
    await using home = await Home.create()
    assert.match((await home.run(['config', 'edit'])).err, /^Error: \$EDITOR not set/)
    const editor = await home.write('edit.sh', 'echo \'{"rest":{"port":7}}\' > "$1"')
    assert.equal((await home.run(['config', 'edit'], { environment: { EDITOR: `sh ${editor}` } })).code, 0)
    assert.match((await home.run(['config', 'get', 'rest.port'])).err, /\n7\n$/)
    assert.match(
      (await home.run(['config', 'edit'], { environment: { EDITOR: 'false' } })).err,
      /ended with exit status 1/
    )
  })
})

describe('small commands', () => {
  it('version prints its lines without a home', async () => {
    await using home = await Home.create()
    assert.match(
      (await home.run(['version'])).out,
      /^NuNet Device Management Service\nVersion: .+\nCommit: .+\n\nNode Version: v\d+.*\nBuild Date: .+\n$/
    )
  })

  it('completion knows commands, behaviours and flags, and hides what is hidden', async () => {
    await using home = await Home.create()
    assert.equal((await home.run(['__complete', '--', 'de'])).out, 'deploy\n')
    assert.equal(
      (await home.run(['__complete', '--', 'actor', 'cmd', '/public/'])).out,
      '/public/hello\n/public/status\n'
    )
    assert.match((await home.run(['__complete', '--', 'cap', 'grant', '--to'])).out, /^--topic\n$/)
    assert.ok(!(await home.run(['__complete', '--', ''])).out.includes('__complete'))
    assert.match((await home.run(['completion', 'bash'])).out, /complete -o default -F _nunet nunet/)
    assert.match((await home.run(['completion', 'fish'])).err, /^Error: no completion for shell 'fish'/)
  })

  it('reads a passphrase from a descriptor in place of the environment', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    const { open } = await import('node:fs/promises')
    const path = await home.write('pass', `${PASSPHRASE}\nnot this\n`)
    await using file = await open(path)
    const { code, err } = await home.run(['--passphrase-fd', String(file.fd), 'key', 'did', 'user'], {
      environment: { DMS_PASSPHRASE: 'wrong' }
    })
    assert.deepEqual([code, err], [0, ''])
    assert.match(
      (await home.run(['--passphrase-fd', '9999', 'key', 'did', 'user'])).err,
      /^Error: cannot read the passphrase from descriptor 9999/
    )
  })
})
