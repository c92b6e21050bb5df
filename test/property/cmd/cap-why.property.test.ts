/**
 * `cap why` against reality: anchors of two contexts are made up, the message is really made by one and judged by the other,
 * and both must say the same. What is suggested for a no is then really done, and the answer must become a yes.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { explain } from '../../../src/cmd/cap/why/explain.ts'
import { deepestFault, isOpen } from '../../../src/cmd/cap/why/routes.ts'
import type { Explanation, Question, Step } from '../../../src/cmd/cap/why/types.ts'
import { keySigner } from '../../../src/lib/did/index.ts'
import {
  type CapabilityContext,
  type CapabilityFile,
  contextToFile,
  createCapabilityContext,
  emptyCapabilityFile,
  impliesCapability,
  type Token,
  verifyToken
} from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { parseDurationMs, renderRefusal, SeededRandom, VirtualClock } from '../../../src/utils/index.ts'
import { HOUR_NS, type Identity, identity, NOW_NS, SECOND_NS, token } from '../../unit/lib/parties.ts'
import { RUNS } from '../lib/generators.ts'

/** A case makes and checks some dozens of signatures. */
const options = { numRuns: Math.min(Math.ceil(RUNS / 10), 4000) }

const [SENDER, RECEIVER, NEAR, FAR] = ['sender', 'receiver', 'near', 'far'].map(identity) as [
  Identity,
  Identity,
  Identity,
  Identity
]
const PEOPLE = [SENDER, RECEIVER, NEAR, FAR]
const NAMES = ['/', '/a', '/a/b', '/a/b/c', '/ab', '/b']
const TOPICS = ['/t', '/t/u', '/v']
const LIFE_NS = 30n * SECOND_NS
const clock = new VirtualClock()

const person = fc.constantFrom(...PEOPLE)
const rarely = <T>(usual: T, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd })

/** What a token says beside its parties; those behind it in the chain say no less. */
const grant = fc.record({
  issuer: person,
  capabilities: fc.subarray(NAMES, { minLength: 1, maxLength: 2 }),
  topics: fc.subarray(TOPICS, { maxLength: 2 }),
  audience: rarely<Did | undefined>(
    undefined,
    person.map(({ did }) => did)
  ),
  expiresInNs: fc.constantFrom(24n * HOUR_NS, HOUR_NS, HOUR_NS, 10n * SECOND_NS, -SECOND_NS),
  depth: rarely(
    0n,
    fc.nat(3).map(depth => BigInt(depth))
  ),
  isRevoked: rarely<'no' | 'here' | 'there'>('no', fc.constantFrom('here', 'there'))
})
type Grant = typeof grant extends fc.Arbitrary<infer T> ? T : never

/** From the root of the chain to the one given to `holder`. */
function chainFor(holder: Did, grants: readonly Grant[]): Token | undefined {
  let parent: Token | undefined
  for (const [index, choice] of grants.entries()) {
    const held = parent
    const above = held?.capabilities ?? ['/']
    const capabilities = choice.capabilities.filter(name => above.some(one => impliesCapability(one, name)))
    parent = token(choice.issuer, {
      subject: grants[index + 1]?.issuer.did ?? holder,
      capabilities: capabilities.length > 0 ? capabilities : above,
      topics: held === undefined ? choice.topics : choice.topics.filter(name => held.topics.includes(name)),
      audience: held?.audience ?? choice.audience,
      expiresAtNs: least(held?.expiresAtNs, NOW_NS + choice.expiresInNs),
      depth: choice.depth,
      chain: held
    })
  }
  return parent !== undefined && verifyToken(parent, { nowNs: 0n }).ok ? parent : undefined
}

function least(a: bigint | undefined, b: bigint): bigint {
  return a !== undefined && a < b ? a : b
}

const chain = fc.array(grant, { minLength: 1, maxLength: 3 })

const world = fc.record({
  roots: fc.subarray([SENDER, NEAR, FAR], { maxLength: 1 }),
  require: fc.array(fc.tuple(person, chain), { maxLength: 3 }),
  provide: fc.array(chain, { maxLength: 3 }),
  behavior: fc.constantFrom('/a/b', '/a/b/c', '/b'),
  topic: fc.option(fc.constantFrom('/t', '/t/u/w'), { nil: undefined })
})
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

/** Files of the people; what was revoked is known to the sender, or to the receiver. */
class Files {
  readonly byOwner = new Map<Did, CapabilityFile>()
  readonly isKnownTo: (did: Did) => boolean
  hasRevocations = false

  constructor({ roots, require, provide }: World) {
    // The machine of sender and receiver knows one of the others as well.
    this.isKnownTo = did => did !== FAR.did
    for (const { did } of PEOPLE) this.byOwner.set(did, emptyCapabilityFile(did))
    const held = provide.flatMap(grants => this.#make(SENDER.did, grants))
    const trusted = require.flatMap(([{ did }, grants]) => this.#make(did, grants))
    this.#change(SENDER.did, { provide: held })
    this.#change(RECEIVER.did, { require: trusted, roots: roots.map(({ did }) => did) })
  }

  get here(): Map<Did, CapabilityFile> {
    return new Map([...this.byOwner].filter(([did]) => this.isKnownTo(did)))
  }

  of(did: Did): CapabilityFile {
    return this.byOwner.get(did) ?? assert.fail(did)
  }

  open(did: Did): CapabilityContext {
    const { key } = PEOPLE.find(one => one.did === did) ?? assert.fail(did)
    const deps = { clock, random: new SeededRandom(did), owner: did, signer: keySigner(key) }
    return createCapabilityContext(deps, this.of(did)).context
  }

  save(context: CapabilityContext): void {
    this.byOwner.set(context.owner, contextToFile(context))
  }

  #change(did: Did, part: Partial<CapabilityFile>): void {
    this.byOwner.set(did, { ...this.of(did), ...part })
  }

  #make(holder: Did, grants: readonly Grant[]): Token[] {
    const made = chainFor(holder, grants)
    if (made === undefined) return []
    for (let link: Token | undefined = made, at = grants.length - 1; link; link = link.chain, at--) {
      const where = grants[at]?.isRevoked ?? 'no'
      if (where === 'no') continue
      this.hasRevocations = true
      const { issuer, subject, nonce, capabilities, expiresAtNs } = link
      const by = PEOPLE.find(one => one.did === issuer) ?? assert.fail(issuer)
      const revocation = token(by, { action: 'revoke', subject, nonce, capabilities, expiresAtNs })
      const knowing = where === 'here' ? SENDER.did : RECEIVER.did
      this.#change(knowing, { revoke: [...this.of(knowing).revoke, revocation] })
    }
    return [made]
  }
}

/** Makes the message's tokens with the sender's key and has the receiver judge them. */
async function really(files: Files, { behavior, topic, expiresAtNs }: Question): Promise<boolean> {
  const [from, to] = [files.open(SENDER.did), files.open(RECEIVER.did)]
  const subject = identity('actor').did
  const audience = RECEIVER.did
  const blob =
    topic === undefined
      ? await from.provideInvocation({
          target: audience,
          subject,
          audience,
          expiresAtNs,
          invoke: [behavior],
          delegate: ['/private/user/1']
        })
      : await from.provideBroadcast({ subject, topic, expiresAtNs, broadcast: [behavior] })
  const tokens = to.consume(SENDER.did, blob)
  assert.ok(tokens.ok)
  const asked = { origin: SENDER.did, subject, capabilities: [behavior] }
  return (
    topic === undefined
      ? to.authorizeInvocation({ ...asked, audience }, tokens.value)
      : to.authorizeBroadcast({ ...asked, topic }, tokens.value)
  ).ok
}

/** Does what a step says, with the keys of those who have to. */
async function carryOut(files: Files, { issue, anchor }: Step, route: Explanation['route']): Promise<void> {
  const issuing = files.open(issue.issuer)
  const { subject, capability, topic, audience, duration } = issue
  // Somebody elsewhere holds what he once built on; of those here it is known.
  const kept = files.isKnownTo(issue.issuer) ? issue.holdFirst : route.links[deepestFault(route) + 1]?.token
  if (kept?.subject === issue.issuer) {
    assert.ok(issuing.anchors.addProvide([kept]).ok)
    files.save(issuing)
  }
  const request = {
    action: 'delegate' as const,
    subject,
    audience,
    topics: topic === undefined ? [] : [topic],
    capabilities: [capability],
    expiresAtNs: duration === 'auto' ? 0n : NOW_NS + BigInt(parseDurationMs(duration)) * 1_000_000n,
    depth: 0n
  }
  let tokens: Token[]
  if (issue.form === 'delegate') {
    const made = await issuing.delegate({ ...request, selfSign: 'no' })
    tokens = made.ok ? made.value : assert.fail(renderRefusal(made.error))
  } else tokens = [await issuing.grant(request)]
  const owning = files.open(anchor.owner)
  const { anchors } = owning
  const added = anchor.as === 'provide' ? anchors.addProvide(tokens) : anchors.addRequire(tokens)
  assert.ok(added.ok, added.ok ? '' : renderRefusal(added.error))
  files.save(owning)
}

function questionOf({ behavior, topic }: World): Question {
  return {
    sender: SENDER.did,
    receiver: RECEIVER.did,
    behavior,
    topic,
    nowNs: NOW_NS,
    expiresAtNs: NOW_NS + LIFE_NS
  }
}

async function ask(files: Files, question: Question, isReceiverHere = true): Promise<Explanation> {
  const sides = {
    sender: files.of(SENDER.did),
    receiver: isReceiverHere ? files.of(RECEIVER.did) : undefined,
    here: files.here
  }
  return await explain(question, sides, { nowNs: NOW_NS, random: new SeededRandom('why') })
}

describe('cap why and the verdict of a real message', () => {
  test('agree, and what is suggested turns a no into a yes', async () => {
    const count = { allowed: 0, refused: 0, shortcut: 0 }
    await fc.assert(
      fc.asyncProperty(world, async choices => {
        const files = new Files(choices)
        const question = questionOf(choices)
        const answer = await ask(files, question)
        assert.equal(answer.verdict === 'allowed', await really(files, question))
        assert.equal(isOpen(answer.route), answer.verdict === 'allowed' || answer.isCrowdedOut)
        if (answer.verdict === 'allowed') {
          count.allowed++
          assert.deepEqual([answer.steps, answer.shortcut], [[], []])
          return
        }
        count.refused++
        const before = new Map(files.byOwner)
        for (const step of answer.steps) await carryOut(files, step, answer.route)
        assert.ok(await really(files, question), 'the steps do not help')
        assert.equal((await ask(files, question)).verdict, 'allowed')
        if (answer.shortcut.length === 0) return
        count.shortcut++
        for (const [did, file] of before) files.byOwner.set(did, file)
        for (const step of answer.shortcut) {
          assert.ok(files.isKnownTo(step.issue.issuer) && files.isKnownTo(step.anchor.owner))
          await carryOut(files, step, answer.route)
        }
        assert.ok(await really(files, question), 'the shortcut does not help')
      }),
      options
    )
    // A generator that makes only one kind of answer would prove nothing.
    for (const [kind, times] of Object.entries(count))
      assert.ok(times > options.numRuns / 50, `${kind}: ${times} of ${options.numRuns}`)
  })

  test('of a receiver elsewhere nothing is claimed that is not so, and its suggestions help', async () => {
    const count = { allowed: 0, unknown: 0 }
    await fc.assert(
      fc.asyncProperty(world, async choices => {
        const files = new Files(choices)
        // What a receiver elsewhere has revoked cannot be known here.
        fc.pre(!files.hasRevocations)
        const question = questionOf(choices)
        const answer = await ask(files, question, false)
        assert.notEqual(answer.verdict, 'refused')
        if (answer.verdict === 'allowed') {
          count.allowed++
          assert.ok(await really(files, question))
          return
        }
        count.unknown++
        for (const step of answer.steps) await carryOut(files, step, answer.route)
        assert.ok(await really(files, question), 'the steps do not help')
      }),
      options
    )
    for (const [kind, times] of Object.entries(count)) assert.ok(times > 0, `${kind}: ${times}`)
  })
})
