/** A small world for actor tests: an in-memory network, virtual time, and contexts whose policy the test writes. */

import { createRootActor, type RootActor, type RootActorOptions } from '../../../src/actor/index.ts'
import { generateKey, type PrivateKey, peerIdOf } from '../../../src/lib/crypto/index.ts'
import { didOf } from '../../../src/lib/did/index.ts'
import type {
  BroadcastQuestion,
  CapabilityContext,
  ConsumedTokens,
  InvocationQuestion
} from '../../../src/lib/ucan/index.ts'
import { createMemoryNetworkHub, type MemoryNetworkHub, type Network } from '../../../src/network/index.ts'
import type { Did, Logger, Result } from '../../../src/types/index.ts'
import {
  bytesToUtf8,
  ok,
  refusal,
  refuse,
  SeededRandom,
  utf8ToBytes,
  VirtualClock
} from '../../../src/utils/index.ts'

/** Who may do what, as the test decides. Without a rule nobody may do anything. */
export interface Policy {
  allows?: (question: InvocationQuestion) => boolean
  allowsBroadcast?: (question: BroadcastQuestion) => boolean
  knows?: (question: { readonly origin: Did }) => boolean
  roots?: readonly Did[]
  /** What is to be waited for before tokens are consumed. */
  lookups?: (blob: string) => (() => Promise<void>) | undefined
}

interface FakeBlob {
  invoke: readonly string[]
  delegate: readonly string[]
  /** Delegations of the message that is answered, passed back. */
  chained: readonly string[]
}

/**
 * Stands for the capability context: a blob says in clear which rights it gives and passes on. A reply delegation is
 * honoured when it comes back, everything else is up to the policy.
 */
export class FakeContext {
  readonly owner: Did
  policy: Policy
  /** Token sets not released yet. */
  live = 0
  readonly consumed: string[] = []

  constructor(owner: Did, policy: Policy = {}) {
    this.owner = owner
    this.policy = policy
  }

  get anchors() {
    return { roots: this.policy.roots ?? [] }
  }

  consume(origin: Did, blob: Uint8Array): Result<ConsumedTokens> {
    if (blob.length === 0) return refuse(refusal('UCAN_BAD', 'empty token list'))
    this.consumed.push(origin)
    const parsed: FakeBlob = JSON.parse(bytesToUtf8(blob))
    this.live++
    let isLive = true
    return ok({
      ...parsed,
      release: () => {
        if (isLive) this.live--
        isLive = false
      }
    })
  }

  authorizeInvocation(question: InvocationQuestion, tokens: ConsumedTokens): Result<void> {
    const { chained } = this.#blob(tokens)
    if (question.capabilities.some(capability => chained.includes(capability))) return ok(undefined)
    return this.policy.allows?.(question) ? ok(undefined) : this.#refused(question)
  }

  lookupsFor(blob: Uint8Array) {
    return this.policy.lookups?.(bytesToUtf8(blob))
  }

  authorizeBroadcast(question: BroadcastQuestion, _tokens: ConsumedTokens): Result<void> {
    return this.policy.allowsBroadcast?.(question) ? ok(undefined) : this.#refused(question)
  }

  async provideInvocation(request: {
    invoke: readonly string[]
    delegate: readonly string[]
    tokens?: ConsumedTokens | undefined
  }) {
    const chained = request.tokens ? this.#blob(request.tokens).delegate : []
    return utf8ToBytes(JSON.stringify({ invoke: request.invoke, delegate: request.delegate, chained }))
  }

  async provideBroadcast(request: { broadcast: readonly string[] }) {
    return utf8ToBytes(JSON.stringify({ invoke: request.broadcast, delegate: [], chained: [] }))
  }

  #refused(question: { readonly origin: Did }): Result<never> {
    const known = this.policy.knows?.(question) ?? false
    const causes = [refusal('UCAN_NARROWER', "token 1 of 1 gives '/else'")]
    return refuse(
      refusal('UCAN_NOT_AUTHORIZED', 'not authorised', { causes, ...(known ? { details: { known } } : {}) })
    )
  }

  #blob(tokens: ConsumedTokens): FakeBlob {
    const blob: object = tokens
    return blob as FakeBlob // made by `consume` above
  }

  /** The fake behind the real type. */
  asContext(): CapabilityContext {
    return pretend(this)
  }
}

function pretend(fake: unknown): CapabilityContext {
  return fake as CapabilityContext // the actor layer uses only what FakeContext has
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export function recordingLog(): { log: Logger; lines: LogLine[]; codes: () => unknown[] } {
  const lines: LogLine[] = []
  const write =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void lines.push({ level, message, fields })
  const log: Logger = {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    child: () => log
  }
  return {
    log,
    lines,
    codes: () => lines.map(line => line.fields['code']).filter(code => code !== undefined)
  }
}

export interface TestNode extends AsyncDisposable {
  readonly key: PrivateKey
  readonly network: Network
  readonly context: FakeContext
  readonly root: RootActor
  readonly did: Did
  readonly lines: LogLine[]
  /** Codes of what was dropped, in order. */
  readonly drops: () => unknown[]
}

export class TestWorld {
  readonly clock = new VirtualClock()
  readonly random: SeededRandom
  readonly hub: MemoryNetworkHub

  constructor(seed: string) {
    this.random = new SeededRandom(seed)
    this.hub = createMemoryNetworkHub({ clock: this.clock, random: this.random })
  }

  async node(policy: Policy = {}, options: RootActorOptions = {}): Promise<TestNode> {
    const key = generateKey(this.random)
    const did = didOf(key.publicKey)
    const network = this.hub.createNetwork(peerIdOf(key.publicKey))
    await network.start()
    const context = new FakeContext(did, policy)
    const { log, lines, codes } = recordingLog()
    const { clock, random } = this
    const root = createRootActor(
      { network, context: context.asContext(), privateKey: key, clock, random, log },
      options
    )
    await root.start()
    return {
      key,
      network,
      context,
      root,
      did,
      lines,
      drops: codes,
      async [Symbol.asyncDispose]() {
        await root.stop()
        await network.stop()
      }
    }
  }

  /** Lets everything that is under way without waiting for time settle. */
  async settle(): Promise<void> {
    await this.clock.advance(0)
  }
}

export const everyone: Policy = { allows: () => true, allowsBroadcast: () => true }
