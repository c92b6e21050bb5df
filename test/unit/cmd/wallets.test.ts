/** Contexts on a Ledger or an Eternl wallet, through programs that really sign. */

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { contextNameOf, walletKindOf } from '../../../src/cmd/session/wallet-name.ts'
import { parseDid } from '../../../src/lib/did/index.ts'
import { parseToken, parseTokenList, type Token, verifyToken } from '../../../src/lib/ucan/index.ts'
import { systemClock } from '../../../src/utils/index.ts'
import { installWalletPrograms } from '../../utils/index.ts'
import { Home, MemoryTerminal, type Outcome, type RunOptions } from './harness.ts'

const SYSTEM_PATH = '/usr/bin:/bin'

/** Runs a command without a passphrase, with the wallets' programs in PATH. */
async function run(
  home: Home,
  argv: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  options: RunOptions = {}
): Promise<Outcome> {
  const log = home.join('wallet.log')
  const folder = installWalletPrograms(home.join('bin'), { WALLET_LOG: log, ...settings })
  const environment = { DMS_PASSPHRASE: '', PATH: `${folder}:${SYSTEM_PATH}`, ...options.environment }
  return await home.run(argv, { ...options, environment })
}

function asked(home: Home): string[] {
  return readFileSync(home.join('wallet.log'), 'utf8').trim().split('\n')
}

function tokensOf({ code, out, err }: Outcome): readonly Token[] {
  assert.equal(code, 0, err)
  const list = parseTokenList(out)
  return list.ok ? list.value : assert.fail(out)
}

function assertVerifies(tokens: readonly Token[]): void {
  assert.ok(tokens.length > 0)
  for (const token of tokens)
    assert.deepEqual(verifyToken(token, { nowNs: systemClock.nowNs() }), { ok: true, value: undefined })
}

const GRANT = [
  '--cap',
  '/public',
  '--duration',
  '1h',
  'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
]

describe('the name of a context', () => {
  it('means a wallet when it starts with the word, and its file is called by what follows the colon', () => {
    for (const [name, kind, file] of [
      ['user', undefined, 'user'],
      ['my:ledger', undefined, 'my:ledger'],
      ['ledger', 'ledger', 'ledger'],
      ['ledger:user', 'ledger', 'user'],
      ['ledger:3', 'ledger', '3'],
      ['ledger:a:b', 'ledger', 'a:b'],
      ['ledger:', 'ledger', 'ledger:'],
      ['ledgerx', 'ledger', 'ledgerx'],
      ['eternl', 'eternl', 'eternl'],
      ['eternl:acme', 'eternl', 'acme']
    ] as const) {
      assert.deepEqual([walletKindOf(name), contextNameOf(name)], [kind, file], name)
    }
  })
})

describe('a Ledger context', () => {
  it('shows its DID without a passphrase, by account and by alias', async () => {
    await using home = await Home.create()
    const dids = new Map<string, string>()
    await run(home, ['key', 'ledger-alias', 'set', 'work', '3'])
    for (const name of ['ledger', 'ledger:0', 'ledger:3', 'ledger:work', 'ledger:anything']) {
      const { code, out, err } = await run(home, ['key', 'did', name])
      assert.equal(code, 0, err)
      assert.match(out, /^did:key:zzCH[1-9A-HJ-NP-Za-km-z]+\n$/)
      dids.set(name, out)
    }
    assert.equal(dids.get('ledger'), dids.get('ledger:0'))
    assert.equal(dids.get('ledger'), dids.get('ledger:anything'))
    assert.equal(dids.get('ledger:work'), dids.get('ledger:3'))
    assert.notEqual(dids.get('ledger'), dids.get('ledger:3'))
    assert.ok(
      asked(home).every(line => /^key -o \/\S+ -a [03]$/.test(line)),
      asked(home).join('\n')
    )
  })

  it('shows the same DID for every form of its key', async () => {
    await using home = await Home.create()
    const { out } = await run(home, ['key', 'did', 'ledger'])
    assert.equal((await run(home, ['key', 'did', 'ledger'], { KEY_FORM: 'uncompressed' })).out, out)
  })

  it('grants, delegates and revokes with the wallet, in the file of the short name', async () => {
    await using home = await Home.create()
    const made = await run(home, ['cap', 'new', 'ledger:user'])
    assert.equal(made.code, 0, made.err)
    const file = JSON.parse(await home.read('.nunet/cap/user.cap'))
    assert.match(file.did.uri, /^did:key:zzCH/)
    const grant = await run(home, ['cap', 'grant', '-c', 'ledger:user', ...GRANT])
    assertVerifies(tokensOf(grant))

    const { did: org } = await home.addIdentity('org')
    const given = await home.run([
      'cap',
      'grant',
      '-c',
      'org',
      '--cap',
      '/public',
      '--duration',
      '2h',
      file.did.uri
    ])
    for (const [flag, value] of [
      ['--provide', given.out],
      ['--require', grant.out],
      ['--root', org]
    ] as const) {
      const anchored = await run(home, ['cap', 'anchor', '-c', 'ledger:user', flag, value.trim()])
      assert.equal(anchored.code, 0, anchored.err)
    }
    const delegated = tokensOf(await run(home, ['cap', 'delegate', '-c', 'ledger:user', ...GRANT]))
    assertVerifies(delegated)
    assert.equal(delegated[0]?.chain?.issuer, org)

    const revoked = await run(home, ['cap', 'revoke', '-c', 'ledger:user', grant.out])
    assert.equal(revoked.code, 0, revoked.err)
    const revocation = parseToken(revoked.out.split('\n')[0] ?? '')
    assertVerifies([revocation.ok ? revocation.value : assert.fail(revoked.out)])

    const listed = await run(home, ['cap', 'list', '-c', 'ledger:user'])
    assert.match(listed.out, new RegExp(`roots:\\n\\t${org}`))
    assert.equal((await run(home, ['cap', 'remove', '-c', 'ledger:user', '--root', org])).code, 0)
    assert.match((await run(home, ['cap', 'list', '-c', 'ledger:user'])).out, /^roots:\nrequire:/)
    const sign = asked(home).find(line => line.startsWith('sign ')) ?? assert.fail()
    const [, , , , account, hex = ''] = sign.split(' ')
    assert.equal(account, '0')
    assert.match(Buffer.from(hex, 'hex').toString('utf8'), /^dms:token:\{"act":"delegate"/)
  })

  it('says when the file belongs to another account', async () => {
    await using home = await Home.create()
    await run(home, ['cap', 'new', 'ledger:user'])
    await run(home, ['key', 'ledger-alias', 'set', 'user', '1'])
    const { code, err } = await run(home, ['cap', 'grant', '-c', 'ledger:user', ...GRANT])
    assert.equal(code, 1)
    assert.match(
      err,
      /capability context 'user' belongs to did:key:zzCH\S+, but key 'ledger:user' is did:key:zzCH/
    )
  })

  it('cannot run a node', async () => {
    await using home = await Home.create()
    const { code, err } = await home.run(['run', '-c', 'ledger:dms'])
    assert.deepEqual([code, /a node cannot run with the key of a wallet/.test(err)], [1, true], err)
  })

  it('cannot be the name of a key', async () => {
    await using home = await Home.create()
    for (const argv of [
      ['key', 'new', 'ledger'],
      ['key', 'import', 'ledger:x', '11'.repeat(32)],
      ['key', 'import-prism', 'eternl', `did:prism:${'0'.repeat(64)}`, '11'.repeat(32)]
    ]) {
      const { code, err } = await home.run(argv)
      assert.deepEqual([code, /cannot be the name of a key/.test(err)], [1, true], err)
    }
  })

  for (const [fault, message, hint] of [
    ['refused', /'\S+\/ledger-cli' failed with exit code 3$/m, /connected, unlocked/],
    ['crash', /was ended by SIGKILL$/m, /connected, unlocked/],
    ['silent', /the answer of '\S+\/ledger-cli' cannot be read: it wrote none$/m, /update the program/],
    ['no-json', /the answer of 'ledger-cli' cannot be read: it is not JSON$/m, /update 'ledger-cli'/],
    ['0x', /the key in the answer of 'ledger-cli' is not hexadecimal: '0x/m, /update 'ledger-cli'/]
  ] as const) {
    it(`says what went wrong with the program: ${fault}`, async () => {
      await using home = await Home.create()
      const { code, out, err } = await run(home, ['key', 'did', 'ledger'], { FAULT: fault })
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, message)
      assert.match(err, hint)
      assertNothingLeft(home)
    })
  }

  for (const [fault, message] of [
    ['range', /gave a signature whose s is out of range$/m],
    ['other-key', /signed with another key than that of account 0 \(did:key:zzCH/m]
  ] as const) {
    it(`takes no bad signature: ${fault}`, async () => {
      await using home = await Home.create()
      await run(home, ['cap', 'new', 'ledger'])
      const { code, out, err } = await run(home, ['cap', 'grant', '-c', 'ledger', ...GRANT], { FAULT: fault })
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, message)
    })
  }

  it('says which program is missing and where it was looked for', async () => {
    await using home = await Home.create()
    const empty = home.join('empty')
    mkdirSync(empty)
    writeFileSync(join(empty, 'ledger-cli'), 'not executable', { mode: 0o600 })
    mkdirSync(home.join('folder', 'ledger-cli'), { recursive: true })
    const path = `${empty}:${home.join('folder')}:relative:`
    const { code, err } = await home.run(['key', 'did', 'ledger'], { environment: { PATH: path } })
    assert.equal(code, 1)
    assert.match(err, /^Error: the program 'ledger-cli' is not in PATH$/m)
    assert.match(
      err,
      new RegExp(`^hint: install 'ledger-cli' .*looked in ${empty}, ${home.join('folder')}$`, 'm')
    )
    const none = await home.run(['key', 'did', 'eternl'], { environment: { PATH: '' } })
    assert.match(none.err, /looked in no folder: PATH is empty/)
  })

  it('is not taken from the current folder', async () => {
    await using home = await Home.create()
    installWalletPrograms(home.path)
    const { err } = await home.run(['key', 'did', 'ledger'], { environment: { PATH: '.:' } })
    assert.match(err, /is not in PATH/)
  })

  it('does not show its program our passphrase', async () => {
    await using home = await Home.create()
    mkdirSync(home.join('bin'))
    const script = '#!/bin/sh\nenv >"$3.env"; cp "$3.env" "$HOME/seen"; exit 1\n'
    writeFileSync(home.join('bin', 'ledger-cli'), script)
    chmodSync(home.join('bin', 'ledger-cli'), 0o755)
    const path = `${home.join('bin')}:${SYSTEM_PATH}`
    await home.run(['key', 'did', 'ledger'], { environment: { PATH: path, DMS_PASSPHRASE: 'geheim' } })
    const seen = await home.read('seen')
    assert.match(seen, /^HOME=/m)
    assert.doesNotMatch(seen, /geheim/)
  })

  it('ends its program and leaves no file behind when the command is interrupted', async () => {
    await using home = await Home.create()
    const ready = home.join('ready')
    const controller = new AbortController()
    const running = run(
      home,
      ['key', 'did', 'ledger'],
      { FAULT: 'hang', WALLET_READY: ready },
      { signal: controller.signal }
    )
    const file = await waitForFile(ready)
    assert.equal((await stat(join(file, '..'))).mode & 0o777, 0o700)
    controller.abort(new Error('interrupted'))
    const { code, err } = await running
    assert.deepEqual([code, /interrupted/.test(err)], [1, true])
    await assert.rejects(stat(join(file, '..')), { code: 'ENOENT' })
  })

  it('refuses names that mean no account', async () => {
    await using home = await Home.create()
    const high = await run(home, ['key', 'did', 'ledger:2147483648'])
    assert.match(high.err, /account 2147483648 does not exist; the highest is 2147483647/)
    assert.match((await run(home, ['key', 'did', 'ledger:'])).err, /the name behind 'ledger:' is empty/)
  })
})

/** Folders of answers are private, and gone when the command is. */
function assertNothingLeft(home: Home): void {
  const files = asked(home).map(line => line.split(' ')[2] ?? '')
  const left = readdirSync(tmpdir())
  for (const file of files) assert.ok(!left.includes(join(file, '..').split('/').at(-1) ?? ''), file)
}

async function waitForFile(path: string): Promise<string> {
  for (;;) {
    try {
      const text = readFileSync(path, 'utf8')
      if (text !== '') return text
    } catch {
      // not there yet
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

describe('an Eternl context', () => {
  it('shows its DID and grants what verifies', async () => {
    await using home = await Home.create()
    const { out } = await run(home, ['key', 'did', 'eternl'])
    assert.match(out, /^did:key:zE4Mr\S+\n$/)
    assert.equal((await run(home, ['cap', 'new', 'eternl:acme'])).code, 0)
    const tokens = tokensOf(await run(home, ['cap', 'grant', '-c', 'eternl:acme', ...GRANT]))
    assertVerifies(tokens)
    assert.equal(tokens[0]?.issuer, parseDid(out.trim()))
    assert.equal(JSON.parse(await home.read('.nunet/cap/acme.cap')).did.uri, out.trim())
  })
})

describe('nunet key ledger-alias', () => {
  it('sets, lists and removes; the file is for its owner only and keeps its past', async () => {
    await using home = await Home.create()
    for (const [alias, account] of [
      ['work', '3'],
      ['home', '0'],
      ['work', '4']
    ] as const) {
      assert.equal((await home.run(['key', 'ledger-alias', 'set', alias, account])).code, 0)
    }
    assert.equal((await home.run(['key', 'ledger-alias', 'list'])).out, 'home\t0\nwork\t4\n')
    const json = await home.run(['key', 'ledger-alias', 'list', '--output', 'json'])
    assert.deepEqual(JSON.parse(json.out), { home: 0, work: 4 })
    const path = home.join('.nunet/ledger_aliases.json')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(JSON.parse(await home.read('.nunet/ledger_aliases.json')), { home: 0, work: 4 })
    assert.ok(readdirSync(home.join('.nunet')).some(name => /^ledger_aliases\.json\.\d+$/.test(name)))
    assert.equal((await home.run(['key', 'ledger-alias', 'remove', 'work'])).code, 0)
    const again = await home.run(['key', 'ledger-alias', 'remove', 'work'])
    assert.deepEqual([again.code, /there is no alias 'work'/.test(again.err)], [1, true])
  })

  it('refuses aliases that are empty, digits, or no part of a file name, and accounts that are none', async () => {
    await using home = await Home.create()
    for (const alias of ['', '12', 'a:b', 'a/b', '..', 'a b', 'x'.repeat(65), '\u001b[2J']) {
      const { code, err } = await home.run(['key', 'ledger-alias', 'set', alias, '1'])
      assert.deepEqual([code, /cannot be an alias/.test(err)], [1, true], alias)
      assert.ok(!err.includes('\u001b'))
    }
    for (const account of ['-1', 'x', '2147483648', '1.5', '']) {
      const { code, err } = await home.run(['key', 'ledger-alias', 'set', 'a', '--', account])
      assert.deepEqual([code, /is not an account/.test(err)], [1, true], `${account}: ${err}`)
    }
  })

  it('passes over entries of another program that break the rules, and names a damaged file', async () => {
    await using home = await Home.create()
    await home.write('.nunet/ledger_aliases.json', '{"ok":1,"12":2,"a:b":3,"x":-1,"y":"1","z":1.5}')
    assert.equal((await home.run(['key', 'ledger-alias', 'list'])).out, 'ok\t1\n')
    await home.write('.nunet/ledger_aliases.json', '{')
    const damaged = await run(home, ['key', 'did', 'ledger:ok'])
    assert.match(damaged.err, /ledger_aliases\.json' is damaged/)
  })
})

describe('standard output', () => {
  it('carries the answer of the command alone, whatever the program of a wallet says', async () => {
    await using home = await Home.create()
    const terminal = new MemoryTerminal()
    const { out } = await run(home, ['key', 'did', 'ledger'], {}, { terminal })
    assert.equal(out.split('\n').length, 2)
  })
})
