/**
 * A conversation of one command with the network through the local daemon (cli-api-config §1.4): a fresh actor
 * key, signed envelopes with capability tokens made for each, replies checked before they are believed.
 */

import { buildMessage, type Envelope, handleFromWire } from '../../actor/message/index.ts'
import { type ApiClient, createApiClient } from '../../api/client/index.ts'
import type { Config } from '../../config/index.ts'
import { actorIdOf, generateKey, type PrivateKey } from '../../lib/crypto/index.ts'
import { EMPTY_HANDLE } from '../../lib/did/index.ts'
import type { CapabilityContext } from '../../lib/ucan/index.ts'
import type { Did, Handle, PeerId } from '../../types/index.ts'
import { bytesToUtf8 } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { broadcastEnvelope, invokeEnvelope, sendEnvelope } from './exchange.ts'
import { type Identity, openIdentity } from './identity.ts'
import { signsUnasked } from './signer.ts'
import { walletKindOf } from './wallet-name.ts'

/** Message expiry from now when nothing was said (identity-and-actors §8.4). Milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000

/** The same where a person confirms each token on a device before the message can leave. Milliseconds. */
const WALLET_TIMEOUT_MS = 90_000

/** How long messages of a context live when nothing was said. Milliseconds. */
export function defaultTimeoutMs(context: string): number {
  return walletKindOf(context) === undefined ? DEFAULT_TIMEOUT_MS : WALLET_TIMEOUT_MS
}

/** The local node knows its handle by heart; what is silent for so long is no node. Milliseconds. */
const HANDLE_TIMEOUT_MS = 10_000

export interface SessionOptions {
  readonly cli: Cli
  readonly config: Config
  readonly globals: ReadonlyMap<string, unknown>
  /** Name of key (or wallet) and capability context. */
  readonly context: string
}

/** One message to be made. */
export interface Request {
  readonly behavior: string
  readonly payload?: unknown
  /** Default: the local daemon's own actor. */
  readonly to?: Handle | undefined
  readonly expiresAtNs: bigint
}

/** A client to the local daemon. Dispose it. */
export function openClient(cli: Cli, config: Config): ApiClient {
  return createApiClient(cli, { address: config.rest.addr, port: config.rest.port })
}

/**
 * Opens identity and daemon. The daemon is called first: when there is none, nobody types a passphrase and no key
 * derivation, which cannot be stopped once begun, holds the process for a second. Once something takes the call, its
 * answer and the derivation are waited for together; a person is only asked when a node has answered.
 */
export async function openSession({ cli, config, globals, context }: SessionOptions): Promise<Session> {
  const client = openClient(cli, config)
  try {
    const request = { config, globals, name: context }
    const connected = Promise.withResolvers<void>()
    const asking = readNodeHandle(client, cli.signal, connected.resolve)
    asking.catch(() => undefined) // reported where it is awaited
    const mayAsk = !(await signsUnasked(cli, request))
    await (mayAsk ? asking : Promise.race([connected.promise, asking]))
    const opening = openIdentity(cli, request)
    // Made while the derivation runs on its own thread.
    const key = generateKey(cli.random)
    const [node, identity] = await Promise.all([asking, opening])
    return new Session({ cli, client, key, timeoutMs: defaultTimeoutMs(context) }, node, identity)
  } catch (error) {
    client[Symbol.dispose]()
    throw error
  }
}

async function readNodeHandle(
  client: ApiClient,
  signal: AbortSignal,
  onConnected: () => void
): Promise<Handle> {
  const value: unknown = JSON.parse(
    bytesToUtf8(await client.handle({ signal, timeoutMs: HANDLE_TIMEOUT_MS, onConnected }))
  )
  const handle = handleFromWire(value)
  if (!handle.ok || handle.value.address.host === '') {
    throw new CommandError(`what answers on ${client.target} is no NuNet node`, {
      hint: 'check rest.addr and rest.port'
    })
  }
  return handle.value
}

export class Session implements Disposable {
  /** The local daemon's own actor. */
  readonly node: Handle
  /** Whose capabilities the messages carry. */
  readonly did: Did
  /** How long its messages live when nothing was said. */
  readonly timeoutMs: number
  readonly #cli: Cli
  readonly #client: ApiClient
  readonly #context: CapabilityContext
  readonly #key: PrivateKey
  #nonce: bigint

  /** `key` is of this conversation only; the identity signs the tokens. */
  constructor(
    { cli, client, key, timeoutMs }: { cli: Cli; client: ApiClient; key: PrivateKey; timeoutMs: number },
    node: Handle,
    identity: Identity
  ) {
    this.#cli = cli
    this.#client = client
    this.timeoutMs = timeoutMs
    this.node = node
    this.did = identity.did
    this.#context = identity.context
    this.#key = key
    this.#nonce = cli.clock.nowNs()
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]()
  }

  /** Unix nanoseconds `ms` from now. */
  expiry(ms: number): bigint {
    return this.#cli.clock.nowNs() + BigInt(Math.round(ms * 1e6))
  }

  /** A signed message that wants no answer. */
  async message(request: Request): Promise<Envelope> {
    return await this.#build(request, () => ({}))
  }

  /** A signed message whose answer comes to a behaviour of its own. */
  async invocation(request: Request): Promise<Envelope> {
    return await this.#build(request, nonce => ({ replyTo: `/private/user/${nonce}` }))
  }

  /** A signed message for everybody on a topic. */
  async broadcastMessage(request: Omit<Request, 'to'>, topic: string): Promise<Envelope> {
    return await this.#build({ ...request, to: EMPTY_HANDLE }, nonce => ({
      replyTo: `/public/user/${nonce}`,
      topic
    }))
  }

  async send(request: Request): Promise<void> {
    await sendEnvelope(this.#exchange(), await this.message(request))
  }

  /** The payload of the reply. */
  async invoke(request: Request, signal: AbortSignal = this.#cli.signal): Promise<Uint8Array> {
    const reply = await invokeEnvelope({ ...this.#exchange(), signal }, await this.invocation(request))
    return reply.message
  }

  /** Payloads of the replies; what does not check out is reported on standard error. */
  async broadcast(request: Omit<Request, 'to'>, topic: string): Promise<Uint8Array[]> {
    const { replies, dropped } = await broadcastEnvelope(
      this.#exchange(),
      await this.broadcastMessage(request, topic)
    )
    for (const refusal of dropped) this.#cli.terminal.err(`warning: dropped a reply: ${refusal.message}\n`)
    return replies.map(reply => reply.message)
  }

  #exchange(): { client: ApiClient; clock: Cli['clock']; signal: AbortSignal } {
    return { client: this.#client, clock: this.#cli.clock, signal: this.#cli.signal }
  }

  async #build(
    request: Request,
    reply: (nonce: bigint) => { replyTo?: string; topic?: string }
  ): Promise<Envelope> {
    const nonce = this.#nonce++
    return await buildMessage({
      privateKey: this.#key,
      from: this.#sender(nonce, this.node.address.host),
      to: request.to ?? this.node,
      behavior: request.behavior,
      payload: request.payload,
      expiresAtNs: request.expiresAtNs,
      nonce,
      context: this.#context,
      ...reply(nonce)
    })
  }

  /** Each message has an inbox of its own, so several can wait for answers at once. */
  #sender(nonce: bigint, host: PeerId | ''): Handle {
    return { id: actorIdOf(this.#key.publicKey), did: this.did, address: { host, inbox: `user-${nonce}` } }
  }
}
