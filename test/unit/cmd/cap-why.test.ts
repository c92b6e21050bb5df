/** `cap why` as a person and a program see it. That its answers are true is shown in `test/property/cmd`. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readAnchors } from '../../../src/cmd/cap/why/ask.ts'
import { commandsOf } from '../../../src/cmd/cap/why/commands.ts'
import type { Step } from '../../../src/cmd/cap/why/types.ts'
import { parseDid, peerIdOfDid } from '../../../src/lib/did/index.ts'
import { createCapabilityStore, emptyCapabilityFile, formatTokenList } from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { systemClock, systemRandom } from '../../../src/utils/index.ts'
import { identity, token } from '../lib/parties.ts'
import { Home, type Outcome } from './harness.ts'

/** A home with the contexts `user`, `dms` and `org`. */
async function prepared(): Promise<Home & { dids: Record<'user' | 'dms' | 'org', Did> }> {
  const home = await Home.create()
  const dids = {
    user: (await home.addIdentity('user')).did,
    dms: (await home.addIdentity('dms')).did,
    org: (await home.addIdentity('org')).did
  }
  return Object.assign(home, { dids })
}

async function done(home: Home, ...words: string[]): Promise<string> {
  const { code, out, err } = await home.run(words)
  assert.equal(code, 0, err)
  return out.trim()
}

async function grant(home: Home, from: string, to: Did, ...flags: string[]): Promise<string> {
  return await done(home, 'cap', 'grant', '-c', from, '--cap', '/public', '--duration', '2h', ...flags, to)
}

/** Runs what the answer suggests, as far as it is complete. */
async function mend(home: Home, outcome: Outcome): Promise<void> {
  for (const { commands } of JSON.parse(outcome.out).steps) {
    for (const { run, complete } of commands) {
      assert.ok(complete, run)
      const nested = /^(.*) "\$\((.*)\)"$/.exec(run) ?? assert.fail(run)
      const value = await done(home, ...(nested[2] ?? '').split(' ').slice(1))
      await done(home, ...(nested[1] ?? '').split(' ').slice(1), value)
    }
  }
}

describe('nunet cap why', () => {
  it('says yes with the chain and with the anchor that admits it', async () => {
    await using home = await prepared()
    await done(home, 'cap', 'anchor', '-c', 'user', '--provide', await grant(home, 'org', home.dids.user))
    await done(home, 'cap', 'anchor', '-c', 'dms', '--require', await grant(home, 'user', home.dids.org))
    const { code, out } = await home.run(['cap', 'why', '/public/hello'])
    assert.equal(code, 0)
    assert.match(out, /^allowed: user may invoke '\/public\/hello' on dms\n/)
    assert.match(out, /\n {2}org gives user\n {6}'\/public', until 20\d\d-.* UTC \(in \w+\)\n {2}user signs/)
    assert.match(out, /\n {2}dms accepts from org\n {6}'\/public', until /)
    assert.ok(out.includes(`  org is ${home.dids.org}\n`))
    assert.doesNotMatch(out, /mend|✗/)
  })

  it('warns of entries that cannot be read: one of them may be what is missed', async () => {
    await using home = await prepared()
    const text = await home.read('.nunet/cap/user.cap')
    await home.write('.nunet/cap/user.cap', text.replace('"provide":{}', '"provide":{"tok":[{"dms":7}]}'))
    const { code, err } = await home.run(['cap', 'why', '/public/hello'])
    assert.equal(code, 3)
    assert.match(err, /entries of context 'user' that cannot be read: 1; 'nunet cap lint -c user' says why/)
  })

  it('a root and the owner itself are trusted in everything', async () => {
    await using home = await prepared()
    await done(home, 'cap', 'anchor', '-c', 'dms', '--root', home.dids.user)
    const root = await home.run(['cap', 'why', '/dms/node/peers/list'])
    assert.equal(root.code, 0)
    assert.match(root.out, /dms trusts user in everything \(root anchor\)/)
    const own = await home.run(['cap', 'why', '/dms/node/peers/list', '-c', 'dms'])
    assert.equal(own.code, 0)
    assert.match(own.out, /dms trusts what it gave itself/)
  })

  it('says no with what is missing, and the commands it prints turn the answer into yes', async () => {
    await using home = await prepared()
    const question = ['cap', 'why', '/dms/deployment/request', '-t', '/nunet/deployment', '-o', 'json']
    // Nothing at all, then a delegation and an anchor that both cover something else, then both ended too early.
    const first = await home.run(question)
    assert.equal(first.code, 3)
    assert.equal(JSON.parse(first.out).route.kind, 'missing')
    await done(home, 'cap', 'anchor', '-c', 'user', '--provide', await grant(home, 'org', home.dids.user))
    await done(home, 'cap', 'anchor', '-c', 'dms', '--require', await grant(home, 'user', home.dids.org))
    const second = await home.run(question)
    assert.equal(second.code, 3)
    const { route } = JSON.parse(second.out)
    const rules = (faults: { rule: string }[]): string[] => faults.map(({ rule }) => rule)
    assert.deepEqual(rules(route.chain[0].faults), ['capability', 'topic'])
    assert.deepEqual(rules(route.admission.anchor.faults), ['capability', 'topic'])
    await mend(home, second)
    assert.equal((await home.run(question)).code, 0)
    const later = await home.run([...question, '--for', '800h'])
    assert.equal(later.code, 3)
    await mend(home, later)
    assert.equal((await home.run([...question, '--for', '800h'])).code, 0)
  })

  it('names the receiver’s own refusal, and a revocation on either side', async () => {
    await using home = await prepared()
    const list = await grant(home, 'org', home.dids.user)
    await done(home, 'cap', 'anchor', '-c', 'user', '--provide', list)
    await done(home, 'cap', 'anchor', '-c', 'dms', '--root', home.dids.org)
    assert.equal((await home.run(['cap', 'why', '/public/hello'])).code, 0)
    const revocation = await done(home, 'cap', 'revoke', '-c', 'org', list)
    await done(home, 'cap', 'anchor', '-c', 'dms', '--revoke', revocation)
    const there = await home.run(['cap', 'why', '/public/hello'])
    assert.equal(there.code, 3)
    assert.match(there.out, /✗ revoked: was revoked by its issuer, as the receiver knows/)
    const report = JSON.parse((await home.run(['cap', 'why', '/public/hello', '-o', 'json'])).out)
    assert.equal(report.refusal.code, 'UCAN_NOT_AUTHORIZED')
    assert.ok(JSON.stringify(report.refusal).includes('UCAN_REVOKED'))
    await mend(home, await home.run(['cap', 'why', '/public/hello', '-o', 'json']))
    assert.equal((await home.run(['cap', 'why', '/public/hello'])).code, 0)
  })

  it('asks nobody beyond whom the receiver trusts in everything: a root grants on its own word', async () => {
    await using home = await prepared()
    const union = identity('union')
    const fromUnion = token(union, {
      subject: home.dids.org,
      capabilities: ['/public'],
      expiresAtNs: systemClock.nowNs() + 7_200_000_000_000n
    })
    await done(home, 'cap', 'anchor', '-c', 'org', '--provide', formatTokenList([fromUnion]))
    const flags = ['-c', 'org', '--cap', '/public', '--duration', '1h']
    const list = await done(home, 'cap', 'delegate', ...flags, home.dids.user)
    await done(home, 'cap', 'anchor', '-c', 'user', '--provide', list)
    await done(home, 'cap', 'anchor', '-c', 'dms', '--root', home.dids.org)
    const question = ['cap', 'why', '/dms/node/peers/list', '-o', 'json']
    const outcome = await home.run(question)
    assert.equal(outcome.code, 3)
    assert.equal(JSON.parse(outcome.out).steps.length, 1)
    assert.doesNotMatch(JSON.stringify(JSON.parse(outcome.out).steps), new RegExp(union.did))
    await mend(home, outcome)
    assert.equal((await home.run(question)).code, 0)
  })

  it('a broadcast to oneself says nothing about others: whose node is meant has to be said', async () => {
    await using home = await prepared()
    const question = ['cap', 'why', '/dms/deployment/request', '-c', 'dms', '-t', '/nunet/deployment']
    const { code, err } = await home.run(question)
    assert.equal(code, 2)
    assert.match(err, /a broadcast reaches everybody[\s\S]*--dest/)
    assert.equal((await home.run([...question, '--dest', 'dms'])).code, 0)
  })

  it('of a receiver elsewhere it says whom that would have to trust', async () => {
    await using home = await prepared()
    const far = identity('far').did
    const own = await home.run(['cap', 'why', '/public/hello', '--dest', far])
    assert.equal(own.code, 5)
    assert.match(own.out, /^cannot be told from here: user wants to invoke/)
    assert.match(own.out, /would have to trust user: as a root, or by a require anchor that covers this/)
    await done(home, 'cap', 'anchor', '-c', 'user', '--provide', await grant(home, 'org', home.dids.user))
    const chain = await home.run(['cap', 'why', '/public/hello', '--dest', peerIdOfDid(far)])
    assert.equal(chain.code, 5)
    assert.match(chain.out, /would have to trust org or user/)
    assert.ok(
      chain.out.includes(`the owner of ${far} runs\n       nunet cap anchor -c <context> --require "$(`)
    )
    // What it gave itself it must accept.
    const given = formatTokenList([
      token(identity('far'), {
        subject: home.dids.user,
        capabilities: ['/public'],
        expiresAtNs: systemClock.nowNs() + 3_600_000_000_000n
      })
    ])
    await done(home, 'cap', 'anchor', '-c', 'user', '--provide', given)
    const sure = await home.run(['cap', 'why', '/public/hello', '--dest', far])
    assert.equal(sure.code, 0)
    assert.match(sure.out, /trusts what it gave itself\n {2}\(unless it has revoked it since/)
    assert.match(sure.out, /\(1 more of your delegations would be presented as well\)/)
    // An invocation is for one receiver, so the delegation of an organisation elsewhere has to be widened there.
    const faulty = await home.run(['cap', 'why', '/dms/deployment', '--dest', far])
    assert.equal(faulty.code, 5)
    assert.match(faulty.out, /✗ capability: covers '\/public', not '\/dms\/deployment'/)
  })

  it('when others are needed it also says what the identities here can do', async () => {
    await using home = await prepared()
    const far = identity('far')
    const given = token(far, {
      subject: home.dids.user,
      capabilities: ['/public'],
      expiresAtNs: systemClock.nowNs() + 3_600_000_000_000n
    })
    await done(home, 'cap', 'anchor', '-c', 'user', '--provide', formatTokenList([given]))
    await done(home, 'cap', 'anchor', '-c', 'dms', '--root', far.did)
    const { out } = await home.run(['cap', 'why', '/dms/deployment'])
    assert.ok(
      out.includes(`the owner of ${far.did} runs\n       nunet cap grant -c <context> --cap /dms/deployment`)
    )
    assert.match(out, /nunet cap anchor -c user --provide '<token list>'/)
    assert.match(out, /or, with the identities of this machine alone:\n/)
    const report = JSON.parse((await home.run(['cap', 'why', '/dms/deployment', '-o', 'json'])).out)
    await mend(home, { out: JSON.stringify({ steps: report.shortcut }) } as Outcome)
    assert.equal((await home.run(['cap', 'why', '/dms/deployment'])).code, 0)
  })

  it('says when a fitting delegation has no room in a message', async () => {
    await using home = await prepared()
    const { user } = home.dids
    const many = Array.from({ length: 9 }, (_, index) =>
      token(identity(`crowd ${index}`), {
        subject: user,
        capabilities: ['/public'],
        expiresAtNs: systemClock.nowNs() + 3_600_000_000_000n
      })
    )
    await done(home, 'cap', 'anchor', '-c', 'user', '--provide', formatTokenList(many.slice(0, 8)))
    await done(home, 'cap', 'anchor', '-c', 'user', '--provide', await grant(home, 'org', user))
    await done(home, 'cap', 'anchor', '-c', 'dms', '--root', home.dids.org)
    const question = ['cap', 'why', '/public/hello', '-o', 'json']
    const crowded = await home.run(question)
    assert.equal(crowded.code, 3)
    assert.equal(JSON.parse(crowded.out).route.crowded_out, true)
    assert.match((await home.run(question.slice(0, 3))).out, /✗ has no room in the message/)
    await mend(home, crowded)
    assert.equal((await home.run(question)).code, 0)
  })

  it('asks for no passphrase, unless a context is sealed', async () => {
    await using home = await prepared()
    await done(home, 'cap', 'anchor', '-c', 'dms', '--root', home.dids.user)
    const without = { environment: { DMS_PASSPHRASE: '' } }
    assert.equal((await home.run(['cap', 'why', '/x'], without)).code, 0)
    await done(home, 'cap', 'seal', '-c', 'dms')
    assert.equal((await home.run(['cap', 'why', '/x'])).code, 0)
    const locked = await home.run(['cap', 'why', '/x'], without)
    assert.notEqual(locked.code, 0)
    assert.match(locked.err, /passphrase/)
    // A sealed context that is not asked about only lends its name.
    await done(home, 'cap', 'seal', '-c', 'org')
    await done(home, 'cap', 'unseal', '-c', 'dms')
    await done(home, 'cap', 'remove', '-c', 'dms', '--root', home.dids.user)
    await done(home, 'cap', 'anchor', '-c', 'dms', '--root', home.dids.org)
    const missing = await home.run(['cap', 'why', '/x'], without)
    assert.equal(missing.code, 3)
    assert.match(missing.out, / dms gives user a delegation| org gives user a delegation/)
  })

  it('refuses a command line that makes no sense, with a hint', async () => {
    await using home = await prepared()
    const cases: [string[], RegExp][] = [
      [['public'], /'public' is not the name of a behaviour/],
      [['/a//b'], /is not the name of a behaviour/],
      [['/a/../b'], /is not the name of a behaviour/],
      [['/a', '-t', 'nunet'], /is not the name of a topic/],
      [['/a', '-o', 'xml'], /unknown output format 'xml'/],
      [['/a', '--dest', 'elsewhere'], /there is no capability context 'elsewhere' here/],
      [
        ['/a', '--dest', '{"id":{"pub":""},"did":{},"addr":{"host":"","inbox":""}}'],
        /names nobody|destination/
      ],
      [['/a', '--for', '-1s'], /must not be negative/]
    ]
    for (const [words, message] of cases) {
      const { code, err } = await home.run(['cap', 'why', ...words])
      assert.match(err, message, words.join(' '))
      assert.notEqual(code, 0)
    }
    const alone = await home.run(['cap', 'why', '/a', '--ask', 'user'])
    assert.notEqual(alone.code, 0)
    assert.match(alone.err, /Error: /)
    const nobody = await home.run(['cap', 'why', '/a', '-c', 'nobody'])
    assert.match(nobody.err, /there is no capability context 'nobody'[\s\S]*hint:/)
  })

  it('what a stranger wrote into tokens cannot act on the terminal', async () => {
    await using home = await prepared()
    const store = createCapabilityStore(
      { files: home.files, clock: systemClock, random: systemRandom },
      { directory: home.join('.nunet', 'cap') }
    )
    const evil = token(identity('evil'), {
      subject: home.dids.user,
      capabilities: ['/a\u001b[2J\nallowed: everything\u202e'],
      expiresAtNs: systemClock.nowNs() + 3_600_000_000_000n
    })
    await store.save('user', { ...emptyCapabilityFile(home.dids.user), provide: [evil] })
    await done(home, 'cap', 'anchor', '-c', 'dms', '--root', identity('evil').did)
    const { out } = await home.run(['cap', 'why', '/b'])
    assert.match(out, /covers '\/a\\x1b\[2J; allowed: everything\\u202e'/)
    for (const active of ['\u001b', '\u202e', '\nallowed']) assert.ok(!out.includes(active))
  })
})

describe('the anchors that a node tells', () => {
  const [node, org] = [identity('node'), identity('org')]
  const accepted = token(org, { subject: org.did, expiresAtNs: 9_007_199_254_740_993_001n })
  const reply = (text: string): Uint8Array => new TextEncoder().encode(text)

  it('are read to the digit, members in any case, absent ones as empty', () => {
    const list = formatTokenList([accepted])
    const text = `{"OK":true,"Roots":[{"uri":"${org.did}"}],"REQUIRE":${list},"Provide":{},"Revoke":null}`
    const file = readAnchors(node.did, reply(text))
    assert.deepEqual(file, { ...emptyCapabilityFile(node.did), roots: [org.did], require: [accepted] })
    assert.deepEqual(readAnchors(node.did, reply('{"OK":true}')), emptyCapabilityFile(node.did))
    assert.deepEqual(readAnchors(node.did, reply(`{"Roots":["${org.did}"]}`)).roots, [org.did])
  })

  it('are refused when they are not what they should be', () => {
    for (const text of ['[]', 'null', '{', '{"Roots":[7]}', '{"Require":{"tok":[{}]}}', '{"Revoke":"x"}'])
      assert.throws(() => readAnchors(node.did, reply(text)), /list of anchors cannot be read/, text)
  })
})

describe('commands that mend', () => {
  const [near, far] = [identity('near').did, identity('far').did]
  const step = (issuer: Did, owner: Did, more: Partial<Step['issue']> = {}): Step => ({
    why: '',
    issue: {
      form: 'grant',
      issuer,
      subject: far,
      capability: '/a',
      topic: undefined,
      audience: undefined,
      duration: '720h',
      holdFirst: undefined,
      ...more
    },
    anchor: { as: 'provide', owner }
  })

  it('quote names for the shell and for the list of a flag', () => {
    const names = new Map<Did, string>([[near, "it's me"]])
    const [command] = commandsOf(step(near, near, { capability: '/a,"b"/$(rm)', topic: "/t'u" }), names)
    assert.equal(
      command?.line,
      `nunet cap anchor -c 'it'\\''s me' --provide "$(nunet cap grant -c 'it'\\''s me' --cap '"/a,""b""/$(rm)"' --topic '/t'\\''u' --duration 720h ${far})"`
    )
  })

  it('are split between the people who have to run them', () => {
    const names = new Map<Did, string>([[near, 'near']])
    const commands = commandsOf(
      step(far, near, { form: 'delegate', duration: 'auto', audience: near }),
      names
    )
    assert.deepEqual(
      commands.map(({ by, context, isComplete }) => [by, context, isComplete]),
      [
        [far, undefined, false],
        [near, 'near', false]
      ]
    )
    assert.equal(
      commands[0]?.line,
      `nunet cap delegate -c <context> --cap /a --audience ${near} --auto-expire ${far}`
    )
    assert.equal(commands[1]?.line, "nunet cap anchor -c near --provide '<token list>'")
  })

  it('name the wallet of a key that is in one', () => {
    const ledger = parseDid('did:key:zzCHUybNYmK8QsttZwXqUX8aDLoBGHnMCakDX2RpsGwmXmYHEW')
    const line = (name: string): string | undefined =>
      commandsOf(step(ledger, ledger), new Map<Did, string>([[ledger, name]]))[0]?.line
    assert.match(
      line('user') ?? '',
      /^nunet cap anchor -c ledger:user --provide "\$\(nunet cap grant -c ledger:user /
    )
    assert.match(line('ledger') ?? '', /^nunet cap anchor -c ledger --provide/)
  })

  it('put back a delegation that its holder has lost', () => {
    const lost = token(identity('root'), { subject: near })
    const names = new Map<Did, string>([[near, 'near']])
    const [first] = commandsOf(step(near, near, { form: 'delegate', holdFirst: lost }), names)
    assert.equal(first?.line, `nunet cap anchor -c near --provide '${formatTokenList([lost])}'`)
  })
})
