/**
 * From allocated to running (deployment §2.9): tells each allocation the names of the others, then starts them
 * in the order of their dependencies. A start that was already made is answered OK, so the step can be repeated
 * after a crash.
 */

import { isIP } from 'node:net'
import type { Actor } from '../../actor/index.ts'
import type { AbortOptions, Handle, PeerId, Refusal, Result } from '../../types/index.ts'
import { Limiter, ok, refusal, refuse } from '../../utils/index.ts'
import type { EnsembleV1 } from '../ensemble/index.ts'
import { manifestKey, startLevels } from '../ensemble/index.ts'
import { BEHAVIORS, okReplySchema } from '../jobs/index.ts'
import { readHandle } from './bid.ts'
import { clip } from './bounds.ts'
import { isSilence } from './committer.ts'
import { ASK_LIMIT_MS, MAX_PARALLEL_NODES, START_LIMIT_MS } from './constants.ts'
import type { Manifest, ManifestNode } from './manifest.ts'

export interface ProvisionFailure {
  readonly refusal: Refusal
  readonly peers: readonly PeerId[]
  /** Of those, the ones that did not say no. */
  readonly silent: readonly PeerId[]
}

export interface ProvisionerDeps {
  actor: Actor
  /** IP address a peer is reached at from here, if there is a connection. */
  addressOf: (peer: PeerId) => string | undefined
}

export class Provisioner {
  readonly #deps: ProvisionerDeps

  constructor(deps: ProvisionerDeps) {
    this.#deps = deps
  }

  async run(
    ensemble: EnsembleV1,
    manifest: Manifest,
    options: AbortOptions
  ): Promise<Result<void, ProvisionFailure>> {
    const named = await this.#eachAllocation(manifest, (key, handle) =>
      this.#sendRecords(manifest, key, handle, options)
    )
    if (!named.ok) return named
    const limiter = new Limiter(MAX_PARALLEL_NODES, Object.keys(manifest.nodes).length)
    const results = await Promise.all(
      Object.values(manifest.nodes).map(async node => ({
        node,
        result: await limiter.run(() => this.#startNode(ensemble, manifest, node, options))
      }))
    )
    return collectFailures(
      results.map(({ node, result }) => ({ peer: readHandle(node.handle)?.address.host, result }))
    )
  }

  async #startNode(
    ensemble: EnsembleV1,
    manifest: Manifest,
    node: ManifestNode,
    options: AbortOptions
  ): Promise<Result<void>> {
    const levels = startLevels({ v1: ensemble }, node.id)
    if (!levels.ok) return levels
    for (const level of levels.value) {
      const results = await Promise.all(
        level.map(name => this.#start(manifest, manifestKey(node.id, name), options))
      )
      const failed = results.find(result => !result.ok)
      if (failed) return failed
    }
    return ok(undefined)
  }

  async #start(manifest: Manifest, key: string, { signal }: AbortOptions): Promise<Result<void>> {
    const entry = manifest.allocations[key]
    const handle = readHandle(entry?.handle)
    if (entry === undefined || handle === undefined)
      return refuse(refusal('DEPLOYMENT_MANIFEST', `allocation '${key}' has no handle`))
    const payload = { SubnetIP: entry.priv_addr, GatewayIP: '', PortMapping: entry.ports ?? {} }
    return await this.#ask(
      handle,
      BEHAVIORS.allocationStart,
      payload,
      START_LIMIT_MS,
      `start allocation '${key}'`,
      signal
    )
  }

  /**
   * Until there is a private network, `<dns_name>.internal` leads to the machine an allocation runs on, where its
   * published ports are; the port is the same as it will be inside the private network.
   */
  async #sendRecords(
    manifest: Manifest,
    key: string,
    handle: Handle,
    { signal }: AbortOptions
  ): Promise<Result<void>> {
    const own = manifest.nodes[manifest.allocations[key]?.node_id ?? '']
    const records = Object.values(manifest.allocations).flatMap(entry => {
      const node = manifest.nodes[entry.node_id]
      const address = node && own ? this.#reach(own, node) : undefined
      return address === undefined ? [] : [[entry.dns_name, address] as const]
    })
    const payload = { SubnetID: manifest.id, Records: Object.fromEntries(records) }
    return await this.#ask(
      handle,
      BEHAVIORS.dnsAddRecords,
      payload,
      ASK_LIMIT_MS,
      `name the peers of allocation '${key}'`,
      signal
    )
  }

  /** Where `target`'s published ports are, seen from `from`: `host` for the same machine. */
  #reach(from: ManifestNode, target: ManifestNode): string | undefined {
    if (from.peer === target.peer) return 'host'
    const seen = readHandle(target.handle)?.address.host
    const direct = seen ? this.#deps.addressOf(seen) : undefined
    if (direct !== undefined && !isLoopback(direct)) return direct
    const announced = target.pub_address.find(address => isIP(address) !== 0 && !isLoopback(address))
    if (direct === undefined) return announced
    // The target shares a machine with the orchestrator; so does `from` when it is on loopback too.
    const own = readHandle(from.handle)?.address.host
    const fromAddress = own ? this.#deps.addressOf(own) : undefined
    return fromAddress !== undefined && isLoopback(fromAddress) ? 'host' : announced
  }

  async #eachAllocation(
    manifest: Manifest,
    work: (key: string, handle: Handle) => Promise<Result<void>>
  ): Promise<Result<void, ProvisionFailure>> {
    const entries = Object.entries(manifest.allocations)
    const limiter = new Limiter(MAX_PARALLEL_NODES, entries.length)
    const results = await Promise.all(
      entries.map(async ([key, entry]) => {
        const handle = readHandle(entry.handle)
        const missing = refuse(refusal('DEPLOYMENT_MANIFEST', `allocation '${key}' has no handle`))
        return {
          peer: handle?.address.host,
          result: handle ? await limiter.run(() => work(key, handle)) : missing
        }
      })
    )
    return collectFailures(results)
  }

  async #ask(
    handle: Handle,
    behavior: string,
    payload: unknown,
    timeoutMs: number,
    what: string,
    signal: AbortSignal | undefined
  ): Promise<Result<void>> {
    const reply = await this.#deps.actor.invoke(handle, behavior, payload, { timeoutMs, signal })
    signal?.throwIfAborted()
    if (!reply.ok)
      return refuse(refusal('DEPLOYMENT_STEP_FAILED', `could not ${what}`, { causes: [reply.error] }))
    const answer = okReplySchema.safeParse(reply.value.payload)
    if (answer.success && answer.data.OK) return ok(undefined)
    const cause = refusal(
      'PROVIDER_ERROR',
      clip(answer.data?.Error || 'the provider answered without a reason')
    )
    return refuse(refusal('DEPLOYMENT_STEP_FAILED', `could not ${what}`, { causes: [cause] }))
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

function collectFailures(
  results: readonly { peer: PeerId | '' | undefined; result: Result<void> }[]
): Result<void, ProvisionFailure> {
  const failed = results.flatMap(({ peer, result }) => (result.ok ? [] : [{ peer, refusal: result.error }]))
  if (failed.length === 0) return ok(undefined)
  return {
    ok: false,
    error: {
      peers: failed.flatMap(({ peer }) => (peer ? [peer] : [])),
      silent: failed.flatMap(({ peer, refusal }) => (peer && isSilence(refusal) ? [peer] : [])),
      refusal: refusal('DEPLOYMENT_PROVISION_FAILED', 'not every allocation could be started', {
        causes: failed.map(({ refusal }) => refusal)
      })
    }
  }
}
