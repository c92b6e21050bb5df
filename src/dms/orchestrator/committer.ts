/**
 * Two-phase commit over the chosen peers (deployment §2.6): every node locks what it promised, then every node
 * creates its allocations. When a step fails, all that was or may have been locked is given back. A peer whose
 * answer did not come may have locked, so it is reverted as well.
 */

import type { Actor } from '../../actor/index.ts'
import { didOfActorId } from '../../lib/did/index.ts'
import type { AbortOptions, Handle, PeerId, Refusal, Result } from '../../types/index.ts'
import { Limiter, ok, refusal, refuse } from '../../utils/index.ts'
import type { EnsembleV1 } from '../ensemble/index.ts'
import { manifestKey } from '../ensemble/index.ts'
import { allocateReplySchema, BEHAVIORS, commitReplySchema } from '../jobs/index.ts'
import { readHandle } from './bid.ts'
import { clip } from './bounds.ts'
import { ALLOCATE_LIMIT_MS, COMMIT_LIMIT_MS, MAX_PARALLEL_NODES } from './constants.ts'
import { SuspendedError } from './errors.ts'
import { dynamicPorts, fixedPorts, type Manifest } from './manifest.ts'

/** Why a commit failed and whom to leave out of the next attempt. */
export interface CommitFailure {
  readonly refusal: Refusal
  readonly peers: readonly PeerId[]
  /** Of those, the ones that did not say no: they were not reached, or did not answer in time. */
  readonly silent: readonly PeerId[]
}

export type CommitStep = {
  readonly phase: 'committed' | 'allocated'
  readonly node: string
  readonly peer: string
}

/** Result of both phases: the handle and the final ports of each allocation, by manifest key. */
export interface CommitResult {
  readonly handles: ReadonlyMap<string, Handle>
  readonly ports: ReadonlyMap<string, Readonly<Record<string, number>>>
}

interface NodePlan {
  readonly node: string
  readonly peer: PeerId
  readonly handle: Handle
  readonly allocations: readonly string[]
}

export interface CommitterDeps {
  actor: Pick<Actor, 'invoke'>
  onStep: (step: CommitStep) => void
  /** Gives back what these nodes may hold. Rejects only when the daemon stops. */
  release: (manifest: Manifest, nodes?: ReadonlySet<string>) => Promise<void>
}

export class Committer {
  readonly #deps: CommitterDeps

  constructor(deps: CommitterDeps) {
    this.#deps = deps
  }

  /** Runs both phases; on failure everything is reverted before it returns. */
  async run(
    ensemble: EnsembleV1,
    manifest: Manifest,
    { signal }: AbortOptions
  ): Promise<Result<CommitResult, CommitFailure>> {
    const plans = planNodes(manifest)
    const touched = new Set<string>()
    const ports = new Map<string, Record<string, number>>()
    try {
      const committed = await this.#eachNode(plans, async plan => {
        touched.add(plan.node)
        return await this.#commitNode(ensemble, manifest, plan, ports, signal)
      })
      if (!committed.ok) {
        await this.#deps.release(manifest, touched)
        return committed
      }
      const handles = new Map<string, Handle>()
      const allocated = await this.#eachNode(plans, plan =>
        this.#allocateNode(ensemble, manifest, plan, handles, signal)
      )
      if (allocated.ok) return ok({ handles, ports })
      await this.#deps.release(manifest, touched)
      return allocated
    } catch (error) {
      if (!(error instanceof SuspendedError)) await this.#deps.release(manifest, touched)
      throw error
    }
  }

  async #eachNode(
    plans: readonly NodePlan[],
    work: (plan: NodePlan) => Promise<Result<void>>
  ): Promise<Result<void, CommitFailure>> {
    const limiter = new Limiter(MAX_PARALLEL_NODES, plans.length)
    const results = await Promise.all(
      plans.map(async plan => ({ plan, result: await limiter.run(() => work(plan)) }))
    )
    const failed = results.flatMap(({ plan, result }) => (result.ok ? [] : [{ plan, refusal: result.error }]))
    if (failed.length === 0) return ok(undefined)
    return {
      ok: false,
      error: {
        peers: failed.map(({ plan }) => plan.peer),
        silent: failed.filter(({ refusal }) => isSilence(refusal)).map(({ plan }) => plan.peer),
        refusal: refusal('DEPLOYMENT_COMMIT_FAILED', 'not every chosen provider kept its bid', {
          causes: failed.map(({ refusal }) => refusal)
        })
      }
    }
  }

  async #commitNode(
    ensemble: EnsembleV1,
    manifest: Manifest,
    plan: NodePlan,
    ports: Map<string, Record<string, number>>,
    signal: AbortSignal | undefined
  ): Promise<Result<void>> {
    const node = ensemble.nodes[plan.node]
    for (const name of plan.allocations) {
      const key = manifestKey(plan.node, name)
      const fixed = node ? fixedPorts(node, name) : {}
      const payload = {
        EnsembleID: manifest.id,
        AllocationName: manifest.allocations[key]?.id,
        NodeID: plan.node,
        Resources: ensemble.allocations[name]?.resources,
        PortMapping: fixed,
        DynamicPorts: node ? dynamicPorts(node, name) : []
      }
      const reply = await this.#deps.actor.invoke(plan.handle, BEHAVIORS.commit, payload, {
        timeoutMs: COMMIT_LIMIT_MS,
        signal
      })
      signal?.throwIfAborted()
      const answer = reply.ok ? commitReplySchema.safeParse(reply.value.payload) : undefined
      if (!reply.ok) return refuse(stepFailed('commit', plan, reply.error))
      if (!answer?.success || !answer.data.OK)
        return refuse(stepFailed('commit', plan, wireFailure(answer?.data?.Error)))
      const mapping = readPorts(answer.data.PortMapping, fixed, payload.DynamicPorts)
      if (mapping === undefined)
        return refuse(
          stepFailed('commit', plan, wireFailure(`ports of allocation '${key}' are not those asked for`))
        )
      ports.set(key, mapping)
    }
    this.#deps.onStep({ phase: 'committed', node: plan.node, peer: plan.peer })
    return ok(undefined)
  }

  async #allocateNode(
    ensemble: EnsembleV1,
    manifest: Manifest,
    plan: NodePlan,
    handles: Map<string, Handle>,
    signal: AbortSignal | undefined
  ): Promise<Result<void>> {
    const entries = plan.allocations.map(
      name =>
        [
          manifest.allocations[manifestKey(plan.node, name)]?.id ?? '',
          allocationPayload(ensemble, name)
        ] as const
    )
    const payload = { EnsembleID: manifest.id, NodeID: plan.node, Allocations: Object.fromEntries(entries) }
    const timeoutMs = ALLOCATE_LIMIT_MS * Math.max(1, plan.allocations.length)
    const reply = await this.#deps.actor.invoke(plan.handle, BEHAVIORS.allocate, payload, {
      timeoutMs,
      signal
    })
    signal?.throwIfAborted()
    if (!reply.ok) return refuse(stepFailed('allocate', plan, reply.error))
    const answer = allocateReplySchema.safeParse(reply.value.payload)
    if (!answer.success || !answer.data.OK)
      return refuse(stepFailed('allocate', plan, wireFailure(answer.data?.Error)))
    for (const name of plan.allocations) {
      const key = manifestKey(plan.node, name)
      const handle = readHandle(answer.data.Allocations[manifest.allocations[key]?.id ?? ''])
      if (handle === undefined || !isOwnHandle(handle, plan)) {
        return refuse(stepFailed('allocate', plan, wireFailure(`no usable handle for allocation '${key}'`)))
      }
      handles.set(key, handle)
    }
    this.#deps.onStep({ phase: 'allocated', node: plan.node, peer: plan.peer })
    return ok(undefined)
  }
}

function planNodes(manifest: Manifest): NodePlan[] {
  return Object.values(manifest.nodes).flatMap(node => {
    const handle = readHandle(node.handle)
    const peer = handle?.address.host
    return handle === undefined || peer === undefined || peer === ''
      ? []
      : [{ node: node.id, peer, handle, allocations: node.allocations }]
  })
}

/**
 * An actor elsewhere than on its node would let one provider answer for another, and one of a foreign DID would let a
 * third party report to this orchestrator. An allocation has the DID of its node, or one of its own key.
 */
function isOwnHandle(handle: Handle, plan: NodePlan): boolean {
  if (handle.address.host !== plan.peer || handle.id === '') return false
  return handle.did === plan.handle.did || handle.did === didOfActorId(handle.id)
}

/** The agreed ports: the fixed ones as they were asked, one of the provider's for each dynamic one. An older provider names none. */
function readPorts(
  answered: Readonly<Record<string, number>>,
  fixed: Readonly<Record<string, number>>,
  dynamic: readonly number[]
): Record<string, number> | undefined {
  const chosen = Object.entries(answered).filter(([port]) => !Object.hasOwn(fixed, port))
  if (chosen.length > dynamic.length) return undefined
  const isSane = chosen.every(
    ([port, inner]) => /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535 && dynamic.includes(inner)
  )
  return isSane ? { ...Object.fromEntries(chosen), ...fixed } : undefined
}

function allocationPayload(ensemble: EnsembleV1, name: string): Record<string, unknown> {
  const allocation = ensemble.allocations[name]
  const provision = allocation?.provision ?? []
  return {
    Type: allocation?.type,
    Executor: allocation?.executor,
    Resources: allocation?.resources,
    Execution: allocation?.execution,
    ProvisionScripts: Object.fromEntries(provision.map(script => [script, ensemble.scripts?.[script] ?? ''])),
    ProvisionOrder: provision,
    Keys: allocation?.keys ?? [],
    Volume: allocation?.volume ?? [],
    Contracts: {}
  }
}

function stepFailed(step: string, plan: NodePlan, cause: Refusal): Refusal {
  const details = { node: plan.node, peer: plan.peer }
  return refusal('DEPLOYMENT_STEP_FAILED', `${step} failed for node '${plan.node}' at peer '${plan.peer}'`, {
    details,
    causes: [cause]
  })
}

function wireFailure(error: string | undefined): Refusal {
  return refusal('PROVIDER_ERROR', clip(error || 'the provider answered without a reason'))
}

/** Whether a step failed for want of an answer: another try may go better. */
export function isSilence(failure: Refusal): boolean {
  return (
    failure.causes?.some(({ code }) => code === 'ACTOR_NO_REPLY' || code === 'ACTOR_UNREACHABLE') ?? false
  )
}
