/** Members of the organisation of a world that run no node: they hold tokens, call nodes, and may lie. */

import assert from 'node:assert/strict'
import { createRootActor, type RootActor } from '../../../src/actor/index.ts'
import { generateKey, peerIdOf } from '../../../src/lib/crypto/index.ts'
import { didOf, keySigner } from '../../../src/lib/did/index.ts'
import { type CapabilityContext, createCapabilityContext, type Token } from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { systemRandom } from '../../../src/utils/index.ts'
import { MemoryLog } from '../../utils/memory-log.ts'
import type { World } from '../../utils/world.ts'

const HOUR_NS = 3_600_000_000_000n

export interface Member {
  readonly actor: RootActor
  readonly context: CapabilityContext
  readonly did: Did
  /** What it was given: by the organisation, or by the member it is below. */
  readonly grant: Token
  /** Passes a capability on. */
  delegate(subject: Did, capability: string): Promise<Token>
}

/** A member whose actor runs and calls others; it is stopped with the world. */
export async function addMember(world: World, options: { below?: Member } = {}): Promise<Member> {
  const { clock, random, hub } = world
  const key = generateKey(random)
  const did = didOf(key.publicKey)
  const { context } = createCapabilityContext({
    clock,
    random: systemRandom,
    owner: did,
    signer: keySigner(key)
  })
  const request = fields(world, did, ['/public', '/broadcast', '/dms/deployment'])
  const grant =
    options.below === undefined
      ? await world.organisation.grant(request)
      : await delegated(options.below.context, request)
  const provided = context.anchors.addProvide([grant])
  assert.ok(provided.ok)
  // It takes the word of the organisation's other members, so that replies reach it.
  const owner = world.organisation.owner
  const required = context.anchors.addRequire([
    await context.grant(fields(world, owner, ['/public', '/broadcast']))
  ])
  assert.ok(required.ok)
  const network = hub.createNetwork(peerIdOf(key.publicKey))
  await network.start()
  const actor = createRootActor({ network, context, privateKey: key, clock, random, log: new MemoryLog() })
  await actor.start()
  world.defer(async () => {
    await actor.stop()
    await network.stop()
  })
  return {
    actor,
    context,
    did,
    grant,
    delegate: (subject, capability) => delegated(context, fields(world, subject, [capability]))
  }
}

/** Takes back what the organisation gave. */
export async function revoke(world: World, token: Token): Promise<Token> {
  const revocation = await world.organisation.revoke(token)
  assert.ok(revocation.ok)
  return revocation.value
}

/** Tokens of the organisation for nobody in particular. */
export async function organisationGrants(world: World, count: number): Promise<Token[]> {
  const { organisation } = world
  const subject = didOf(generateKey(world.random).publicKey)
  const request = fields(world, subject, ['/public'])
  return await Promise.all(Array.from({ length: count }, () => organisation.grant(request)))
}

function fields(world: World, subject: Did, capabilities: readonly string[]) {
  const expiresAtNs = world.clock.nowNs() + 12n * HOUR_NS
  return { action: 'delegate', subject, topics: ['/nunet'], capabilities, expiresAtNs, depth: 0n } as const
}

async function delegated(context: CapabilityContext, request: ReturnType<typeof fields>): Promise<Token> {
  const tokens = await context.delegate({ ...request, expiresAtNs: 0n, selfSign: 'no' })
  const [token] = tokens.ok ? tokens.value : []
  assert.ok(token)
  return token
}
