/** `cap lint`: each finding by its code, that what it says to run mends it, and what it leaves alone. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { BEHAVIORS } from '../../../src/cmd/actor/cmd/behaviors.ts'
import { CAPABILITIES } from '../../../src/cmd/cap/capability-table.ts'
import {
  type CapabilityFile,
  emptyCapabilityFile,
  formatCapabilityFile,
  impliesCapability,
  type Token
} from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { systemClock } from '../../../src/utils/index.ts'
import { type Identity, identity, token } from '../lib/parties.ts'
import { Home } from './harness.ts'

const acme = identity('acme')
const DAY_NS = 86_400_000_000_000n
const NOW = systemClock.nowNs()
const after = (days: bigint): bigint => NOW + days * DAY_NS

interface Finding {
  readonly code: string
  readonly severity: string
  readonly anchor?: string
  readonly list: string
  readonly what: string
  readonly mend: { readonly command: string; readonly by?: string }
}

/** A home with a user and a node, and a file for the node. */
async function withNode(
  fill: (parties: { user: Identity; dms: Identity }) => Partial<CapabilityFile>
): Promise<{ home: Home; user: Identity; dms: Identity }> {
  const home = await Home.create()
  const user = await home.addIdentity('user')
  const dms = await home.addIdentity('dms')
  const file = { ...emptyCapabilityFile(dms.did), roots: [user.did], ...fill({ user, dms }) }
  await writeFile(home.join('.nunet/cap/dms.cap'), formatCapabilityFile(file))
  return { home, user, dms }
}

/** Findings about the node's context; `codes` only those of these severities. */
async function lint(
  home: Home,
  ...flags: string[]
): Promise<{ code: number; findings: Finding[]; err: string }> {
  const { code, out, err } = await home.run(['cap', 'lint', '-c', 'dms', '-o', 'json', ...flags], {
    environment: { DMS_PASSPHRASE: '' }
  })
  return { code, findings: JSON.parse(out).findings, err }
}

const accepted = (user: Identity, fields: Partial<Token> = {}): Token =>
  token(user, {
    subject: acme.did,
    capabilities: ['/dms/deployment', '/public', '/broadcast'],
    topics: ['/nunet'],
    expiresAtNs: after(300n),
    depth: 3n,
    ...fields
  })

const given = (dms: Identity, fields: Partial<Token> = {}): Token =>
  token(acme, { subject: dms.did, capabilities: ['/public'], expiresAtNs: after(300n), ...fields })

describe('nunet cap lint', () => {
  it('finds nothing in a context as the guide sets it up, with limits', async () => {
    const { home } = await withNode(({ user, dms }) => ({
      require: [accepted(user)],
      provide: [given(dms)]
    }))
    await using _home = home
    const { code, findings } = await lint(home)
    assert.deepEqual([code, findings], [0, []])
    const { out, err } = await home.run(['cap', 'lint', '-c', 'dms'])
    assert.deepEqual([out, err], ['', 'nothing to mend in 1 context\n'])
  })

  for (const [code, severity, exit, fields] of [
    ['gives-control', 'error', 1, { capabilities: ['/'] }],
    ['gives-control', 'error', 1, { capabilities: ['/public', '/dms'] }],
    ['gives-control', 'error', 1, { capabilities: ['/dms/cap/root'] }],
    ['gives-owner-rights', 'warning', 0, { capabilities: ['/dms/node'] }],
    ['gives-owner-rights', 'warning', 0, { capabilities: ['/dms/node/peers/list'] }],
    ['wide-topic', 'warning', 0, { topics: ['/'] }],
    ['no-depth', 'info', 0, { depth: 0n }],
    ['no-audience', 'info', 0, { capabilities: ['/public'], topics: [] }],
    ['long-lived', 'warning', 0, { expiresAtNs: after(401n) }],
    ['expired', 'error', 1, { expiresAtNs: 1n }],
    ['ends-soon', 'warning', 0, { expiresAtNs: after(29n) }],
    ['ends-soon', 'error', 1, { expiresAtNs: after(2n) }],
    ['no-capability', 'warning', 0, { capabilities: [] }],
    ['no-capability', 'warning', 0, { capabilities: null, topics: [] }],
    ['no-topic', 'warning', 0, { capabilities: ['/broadcast'], topics: [] }],
    ['invalid', 'error', 1, { signature: new Uint8Array(64) }],
    ['invalid', 'error', 1, { action: 'invoke' }]
  ] as const)
    it(`says ${code} (${severity}) of a require anchor with ${Object.keys(fields).join(' and ')} ${JSON.stringify(Object.values(fields), (_, value) => (typeof value === 'bigint' ? 'n' : value))}`, async () => {
      const { home } = await withNode(({ user }) => ({ require: [accepted(user, fields)] }))
      await using _home = home
      const result = await lint(home)
      assert.deepEqual(
        result.findings.map(finding => [finding.code, finding.severity]),
        [[code, severity]]
      )
      assert.equal(result.code, exit)
    })

  for (const [code, severity, fields] of [
    ['not-for-owner', 'error', { subject: acme.did }],
    ['only-for-oneself', 'warning', { audience: 'dms' }],
    ['unknown-origin', 'info', {}],
    ['expired', 'error', { expiresAtNs: 1n }],
    ['invalid', 'error', { action: 'invoke' }]
  ] as const)
    it(`says ${code} (${severity}) of a provide anchor with ${Object.keys(fields).join() || 'nobody here who trusts its root'}`, async () => {
      const { home } = await withNode(({ dms, user }) => {
        const { audience } = { audience: undefined, ...fields }
        const own = audience === undefined ? {} : { audience: dms.did }
        const trust = code === 'unknown-origin' ? [] : [accepted(user)]
        return { provide: [given(dms, { ...fields, ...own } as Partial<Token>)], require: trust }
      })
      await using _home = home
      const { findings } = await lint(home)
      assert.deepEqual(
        findings.map(finding => [finding.code, finding.severity, finding.list]),
        [[code, severity, 'provide']]
      )
    })

  it('says used-up of a delegation whose chain has no step left', async () => {
    const { home } = await withNode(({ user, dms }) => ({
      require: [accepted(user)],
      provide: [
        token(user, {
          subject: dms.did,
          expiresAtNs: after(100n),
          chain: token(acme, { subject: user.did, expiresAtNs: after(100n), depth: 1n })
        })
      ]
    }))
    await using _home = home
    assert.deepEqual(
      (await lint(home)).findings.map(({ code }) => code),
      ['used-up']
    )
  })

  it('says revoked, of a loss louder than of an intention, and unknown-origin of a stranger who lets others in', async () => {
    const { home } = await withNode(({ user, dms }) => {
      const [taken, closed] = [given(dms), accepted(user)]
      const back = (by: Identity, what: Token): Token =>
        token(by, {
          ...what,
          action: 'revoke',
          topics: [],
          depth: 0n,
          signature: undefined
        } as Partial<Token> & { subject: Did })
      return {
        require: [closed, accepted(acme, { subject: identity('bcme').did })],
        provide: [taken],
        revoke: [back(acme, taken), back(user, closed)]
      }
    })
    await using _home = home
    const { findings } = await lint(home)
    assert.deepEqual(
      findings.map(({ code, severity, list }) => `${severity} ${code} ${list}`),
      ['error revoked provide', 'warning revoked require', 'warning unknown-origin require']
    )
  })

  it('looks at roots: foreign ones, ones without effect, ones without a key', async () => {
    const lost = 'did:web:example.org' as Did
    const { home, dms } = await withNode(({ user, dms }) => ({
      roots: [user.did, dms.did, acme.did, lost]
    }))
    await using _home = home
    const { findings } = await lint(home)
    assert.deepEqual(
      findings.map(({ code, severity, anchor }) => [severity, code, anchor]),
      [
        ['error', 'idle-root', lost],
        ['warning', 'foreign-root', acme.did],
        ['info', 'idle-root', dms.did]
      ]
    )
  })

  it('reports what cannot be read or does not verify, and the command that forgets it', async () => {
    const { home } = await withNode(({ user }) => ({
      revoke: [accepted(user, { action: 'revoke', signature: new Uint8Array(64) })]
    }))
    await using _home = home
    const path = home.join('.nunet/cap/dms.cap')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"require":{}', '"require":{"tok":[{"dms":{"act":"delegate"}}]}'))
    const { code, findings } = await lint(home)
    assert.deepEqual([code, findings.map(finding => finding.code)], [1, ['unreadable', 'invalid']])
    assert.equal(findings[0]?.mend.command, 'nunet cap remove -c dms --aside')
    assert.equal((await home.run(['cap', 'remove', '-c', 'dms', '--aside'])).code, 0)
    assert.deepEqual((await lint(home)).findings, [])
  })

  it('takes one that is replaced for no more than clutter', async () => {
    const { home } = await withNode(({ user }) => ({
      require: [
        accepted(user, { expiresAtNs: 1n }),
        accepted(user, { expiresAtNs: after(2n) }),
        accepted(user)
      ]
    }))
    await using _home = home
    const { code, findings } = await lint(home)
    assert.equal(code, 0)
    assert.deepEqual(
      findings.map(finding => [finding.severity, finding.code]),
      [
        ['warning', 'expired'],
        ['info', 'shadowed']
      ]
    )
  })

  it('lets what ends within other limits pass, when told so', async () => {
    const { home } = await withNode(({ user }) => ({ require: [accepted(user, { expiresAtNs: after(2n) })] }))
    await using _home = home
    assert.deepEqual((await lint(home, '--warn', '24h', '--error', '1h')).findings, [])
    const wide = await lint(home, '--warn', '24h', '--error', '1h', '--max-life', '1d')
    assert.deepEqual(
      wide.findings.map(({ code }) => code),
      ['long-lived']
    )
    const { code } = await home.run(['cap', 'lint', '-c', 'dms', '--all'])
    assert.equal(code, 1, 'one context or all')
  })

  it('gives commands that mend: each run as it is printed, nothing is left', async () => {
    const { home, user } = await withNode(({ user }) => ({
      roots: [user.did, acme.did],
      require: [
        accepted(user, { depth: 0n }),
        accepted(user, { capabilities: ['/public/hello'], topics: [], depth: 1n }),
        accepted(user, { capabilities: ['/'] }),
        accepted(user, { subject: identity('bcme').did, expiresAtNs: after(500n) }),
        accepted(user, { subject: identity('ccme').did, expiresAtNs: 1n }),
        accepted(user, { subject: identity('dcme').did, expiresAtNs: after(1n) }),
        accepted(user, { subject: user.did })
      ]
    }))
    await using _home = home
    for (let round = 0; round < 12; round++) {
      const [finding] = (await lint(home)).findings
      if (finding === undefined) break
      assert.ok(finding.mend.by === undefined, finding.mend.command)
      await runShell(home, finding.mend.command)
    }
    assert.deepEqual((await lint(home)).findings, [])
    const { require, roots } = JSON.parse((await home.run(['cap', 'list', '-c', 'dms', '-o', 'json'])).out)
    assert.deepEqual(roots, [user.did])
    assert.equal(require.length, 4, 'acme, bcme, ccme and dcme are let in as before')
  })

  it('looks at all contexts, and leaves out a sealed one whose key is not at hand', async () => {
    const { home } = await withNode(({ user }) => ({ require: [accepted(user, { expiresAtNs: 1n })] }))
    await using _home = home
    await home.run(['cap', 'seal', '-c', 'dms'])
    const without = await home.run(['cap', 'lint', '--all'], { environment: { DMS_PASSPHRASE: '' } })
    assert.equal(without.code, 0)
    assert.match(
      without.err,
      /^warning: context 'dms' is sealed and left out: set DMS_PASSPHRASE\nnothing to mend in 1 context\n$/
    )
    const wrong = await home.run(['cap', 'lint', '--all'], { environment: { DMS_PASSPHRASE: 'other' } })
    assert.equal(wrong.code, 0)
    assert.match(wrong.err, /^warning: context 'dms' is sealed and left out: the passphrase does not open/)
    const withKey = await home.run(['cap', 'lint', '--all'])
    assert.equal(withKey.code, 1)
    assert.match(
      withKey.out,
      /^error {4}dms: require anchor for did:key:\S+ ended 1970-01-01 00:00 UTC \(\d+d ago\) {2}\[expired [0-9a-f]{24}\]\n +why: .*\n +do: nunet cap anchor -c dms --require "\$\(nunet cap grant -c user /
    )
    assert.match(withKey.err, /^1 errors, 0 warnings, 0 notes in 2 contexts\n$/)
  })

  it('never lets text of a token command the terminal', async () => {
    const { home } = await withNode(({ user }) => ({
      require: [accepted(user, { capabilities: ['/dms/node/\u001b[2J\n'] })]
    }))
    await using _home = home
    const { out } = await home.run(['cap', 'lint', '-c', 'dms'])
    assert.ok(!out.includes('\u001b'))
    assert.equal(out.split('\n').length, 4)
  })
})

/** Runs a printed command line in a shell whose `nunet` prints what the commands of the test print. */
async function runShell(home: Home, line: string): Promise<void> {
  const inner = /"\$\(nunet ([^)]+)\)"/.exec(line)
  const output = inner === null ? '' : (await home.run(words(inner[1] ?? ''))).out.trim()
  const whole = inner === null ? line : line.replace(inner[0], "'@'")
  for (const part of whole.split(' && ')) {
    const argv = (await shellWords(part)).slice(1).map(word => (word === '@' ? output : word))
    const { code, err } = await home.run(argv)
    assert.equal(code, 0, `${line}: ${err}`)
  }
}

function words(text: string): string[] {
  return text.split(' ')
}

/** As the shell splits it. */
async function shellWords(line: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('sh', ['-c', `printf '%s\\0' ${line}`])
  return stdout.split('\0').slice(0, -1)
}

describe('nunet cap help-caps', () => {
  it('says of every behaviour a node serves what its capability is good for', () => {
    const known = CAPABILITIES.filter(({ name }) => name !== '/')
    for (const { path } of BEHAVIORS)
      assert.ok(
        known.some(row => impliesCapability(row.name, path)),
        `${path} is below one of the table`
      )
  })

  it('prints the table, also as JSON', async () => {
    await using home = await Home.create()
    const table = (await home.run(['cap', 'help-caps'])).out
    for (const { name, allows } of CAPABILITIES) assert.ok(table.includes(allows), name)
    assert.equal(
      JSON.parse((await home.run(['cap', 'help-caps', '-o', 'json'])).out).length,
      CAPABILITIES.length
    )
  })
})
