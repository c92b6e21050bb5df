/** `cap lint` says 'shadowed' only of anchors that have no effect: with all of them removed every verdict stays. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { chartOf } from '../../../src/cmd/cap/lint/chart.ts'
import { findShadowed } from '../../../src/cmd/cap/lint/ending.ts'
import { keySigner } from '../../../src/lib/did/index.ts'
import {
  type CapabilityFile,
  createCapabilityContext,
  emptyCapabilityFile,
  type Token
} from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { bytesToHex, SeededRandom, VirtualClock } from '../../../src/utils/index.ts'
import { HOUR_NS, type Identity, identity, NOW_NS, token } from '../../unit/lib/parties.ts'
import { RUNS } from '../lib/generators.ts'

const [node, acme, bcme, user, actor] = ['node', 'acme', 'bcme', 'user', 'actor'].map(identity)
assert.ok(node && acme && bcme && user && actor)
const people: readonly Identity[] = [node, acme, bcme, user]
const [clock, random] = [new VirtualClock(), new SeededRandom('lint')]

const capability = fc.constantFrom('/', '/a', '/a/b', '/a/b/c', '/ab', '/b')
const topic = fc.constantFrom('/', '/t', '/t/u', '/v')
const person = fc.constantFrom(...people)

const PARTS = {
  capabilities: fc.uniqueArray(capability, { minLength: 1, maxLength: 2 }),
  topics: fc.uniqueArray(topic, { maxLength: 1 }),
  audience: fc.option(fc.constantFrom(user.did, acme.did), { nil: undefined, freq: 1 }),
  depth: fc.constantFrom(0n, 0n, 1n, 2n, 3n),
  expiresAtNs: fc.constantFrom(1n, 2n, 3n).map(hours => NOW_NS + hours * HOUR_NS)
}
const terms = fc.record({
  ...PARTS,
  audience: fc.option(fc.constantFrom(node.did, user.did), { nil: undefined, freq: 3 })
})

/** A chain along random people, each link within the one before it as often as not. */
const chain = (leafSubject: Did, action: fc.Arbitrary<string>, signature?: Uint8Array): fc.Arbitrary<Token> =>
  fc
    .tuple(
      fc.array(person, { minLength: 1, maxLength: 3 }),
      fc.array(terms, { minLength: 3, maxLength: 3 }),
      action
    )
    .map(([issuers, links, last]) => {
      let parent: Token | undefined
      for (const [index, issuer] of issuers.entries()) {
        const isLeaf = index === issuers.length - 1
        const fields = links[index]
        assert.ok(fields)
        parent = token(issuer, {
          ...narrow(fields, parent),
          action: isLeaf ? last : 'delegate',
          subject: isLeaf ? leafSubject : (issuers[index + 1]?.did ?? leafSubject),
          chain: parent,
          signature
        })
      }
      assert.ok(parent)
      return parent
    })

/** Admission asks nothing of signatures, and these take most of the time. */
const UNSIGNED = new Uint8Array(64)

/** The same once more with terms of its own: what happens when a token is renewed or narrowed. */
function again(original: Token, fields: Partial<Token>): Token {
  const issuer = people.find(({ did }) => did === original.issuer)
  assert.ok(issuer)
  const { chain: parent, subject, nonce, signature, ...rest } = original
  assert.ok(nonce && signature)
  const wanted = { ...rest, ...fields }
  return token(issuer, { ...narrow(wanted, parent), ...(parent ? {} : fields), subject, chain: parent })
}

/** Terms that a child of `parent` may have. */
function narrow<T extends Pick<Token, 'capabilities' | 'topics' | 'audience' | 'expiresAtNs'>>(
  fields: T,
  parent: Token | undefined
): T {
  if (parent === undefined) return fields
  const outlives = fields.expiresAtNs > parent.expiresAtNs
  return {
    ...fields,
    capabilities: (parent.capabilities ?? []).slice(0, 1),
    topics: parent.topics,
    audience: parent.audience ?? fields.audience,
    expiresAtNs: outlives ? parent.expiresAtNs : fields.expiresAtNs
  }
}

/** The file without all that lint calls shadowed, and how many that were. */
function withoutShadowed(file: CapabilityFile): { file: CapabilityFile; count: number } {
  const chart = chartOf('node', file, {
    nowNs: NOW_NS,
    limits: { warnNs: 0n, errorNs: 0n, maxLifeNs: 0n },
    names: new Map([
      [node?.did ?? file.did, 'node'],
      [user?.did ?? file.did, 'user']
    ]),
    trusted: new Set()
  })
  const found = findShadowed(chart)
  const stays = (list: string) => (entry: Token) =>
    !found.some(
      finding => finding.list === list && finding.anchor === bytesToHex(entry.nonce ?? new Uint8Array())
    )
  return {
    count: found.length,
    file: {
      ...file,
      require: file.require.filter(stays('require')),
      provide: file.provide.filter(stays('provide'))
    }
  }
}

function contextOf(who: Identity, file: CapabilityFile) {
  return createCapabilityContext({ clock, random, owner: who.did, signer: keySigner(who.key) }, file).context
}

describe('an anchor that lint calls shadowed', () => {
  test('changes no admission when it is removed (require)', () => {
    let [shadowed, admitted, refused] = [0, 0, 0]
    const runs = Math.ceil(RUNS / 4)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(person, terms), { minLength: 2, maxLength: 6 }),
        fc.subarray(people.map(({ did }) => did)),
        fc.array(chain(actor.did, fc.constantFrom('invoke', 'broadcast'), UNSIGNED), {
          minLength: 4,
          maxLength: 8
        }),
        (anchors, roots, messages) => {
          const require = anchors.map(([subject, fields]) => token(node, { ...fields, subject: subject.did }))
          const file = { ...emptyCapabilityFile(node.did), roots: roots.slice(0, 1), require }
          const after = withoutShadowed(file)
          shadowed += after.count
          const [whole, lean] = [contextOf(node, file), contextOf(node, after.file)]
          for (const message of messages) {
            const isAdmitted = whole.examine(message).admission.ok
            assert.equal(lean.examine(message).admission.ok, isAdmitted)
            if (isAdmitted) admitted++
            else refused++
          }
        }
      ),
      { numRuns: runs }
    )
    assert.ok(
      Math.min(shadowed, admitted, refused) > runs / 4,
      `${shadowed} ${admitted} ${refused} say something`
    )
  })

  test('changes nothing for a receiver, whomever it trusts, when it is removed (provide)', async () => {
    let [shadowed, allowed, refused] = [0, 0, 0]
    const runs = Math.ceil(RUNS / 8)
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            chain(node.did, fc.constant('delegate')),
            fc.option(fc.record(PARTS, { requiredKeys: [] }))
          ),
          { minLength: 1, maxLength: 3 }
        ),
        fc.array(fc.tuple(fc.constantFrom(acme, bcme), terms), { maxLength: 2 }),
        fc.subarray([bcme.did]),
        fc.array(fc.tuple(capability, fc.option(topic, { nil: undefined })), { minLength: 2, maxLength: 4 }),
        async (held, anchors, roots, questions) => {
          const provide = held.flatMap(([first, fields]) =>
            fields === null ? [first] : [first, again(first, fields)]
          )
          const file = { ...emptyCapabilityFile(node.did), provide }
          const after = withoutShadowed(file)
          shadowed += after.count
          const require = anchors.map(([subject, fields]) => token(user, { ...fields, subject: subject.did }))
          const receiver = contextOf(user, { ...emptyCapabilityFile(user.did), roots, require })
          for (const [name, on] of questions) {
            const verdicts: boolean[] = []
            for (const each of [file, after.file]) {
              const sender = contextOf(node, each)
              const base = { subject: actor.did, expiresAtNs: NOW_NS + HOUR_NS }
              const blob =
                on === undefined
                  ? await sender.provideInvocation({
                      ...base,
                      target: user.did,
                      audience: user.did,
                      invoke: [name],
                      delegate: []
                    })
                  : await sender.provideBroadcast({ ...base, topic: on, broadcast: [name] })
              const consumed = receiver.consume(node.did, blob)
              assert.ok(consumed.ok)
              const question = { origin: node.did, subject: actor.did, capabilities: [name] }
              const verdict =
                on === undefined
                  ? receiver.authorizeInvocation({ ...question, audience: user.did }, consumed.value)
                  : receiver.authorizeBroadcast({ ...question, topic: on }, consumed.value)
              verdicts.push(verdict.ok)
            }
            assert.equal(verdicts[1], verdicts[0])
            if (verdicts[0]) allowed++
            else refused++
          }
        }
      ),
      { numRuns: runs }
    )
    assert.ok(
      Math.min(shadowed, allowed, refused) > runs / 20,
      `${shadowed} ${allowed} ${refused} say something`
    )
  })
})
