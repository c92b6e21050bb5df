/** Takes the allocations of a deployment down (deployment §2.17), from any state. May be repeated after a crash. */

import type { Actor } from '../../actor/index.ts'
import type { Clock, Refusal, Result } from '../../types/index.ts'
import { Limiter, ok, refusal, refuse } from '../../utils/index.ts'
import { ensembleBehaviors, okReplySchema } from '../jobs/index.ts'
import { isSettled } from './allocation-reports.ts'
import { readHandle } from './bid.ts'
import { clip } from './bounds.ts'
import { MAX_PARALLEL_NODES, SHUTDOWN_LIMIT_MS } from './constants.ts'
import type { Journal } from './journal.ts'
import type { ManifestAllocation } from './manifest.ts'
import { claimsOf, type Releaser } from './releaser.ts'

export interface TeardownDeps {
  actor: Pick<Actor, 'invoke'>
  journal: Journal
  releaser: Releaser
  clock: Clock
}

/**
 * Asks for the end of every allocation, then has released what was only committed or did not answer. Returns what
 * could not be taken down; it is asked for further on. Rejects only with the signal's reason: then nothing is lost.
 */
export async function takeDown(deps: TeardownDeps, signal: AbortSignal): Promise<Refusal[]> {
  const { journal, releaser, clock } = deps
  const { manifest } = journal
  if (manifest === undefined) return []
  const limiter = new Limiter(MAX_PARALLEL_NODES, Object.keys(manifest.allocations).length)
  const problems = await Promise.all(
    Object.entries(manifest.allocations).map(async ([key, entry]) => {
      if (isSettled(entry)) return []
      const done = await limiter.run(() => shutDown(deps, entry, signal))
      if (!done.ok) return [{ key, node: entry.node_id, refusal: describe(key, done.error) }]
      if (!isSettled(entry)) journal.updateAllocation(key, ended(entry))
      return []
    })
  )
  const open = problems.flat()
  if (open.length === 0) return []
  await releaser.release(claimsOf(manifest, clock.nowMs(), new Set(open.map(({ node }) => node))))
  const held = new Set(journal.unreleased.map(({ node, peer }) => `${node}/${peer}`))
  const isHeld = (node: string): boolean => held.has(`${node}/${manifest.nodes[node]?.peer}`)
  for (const { node, key } of open) {
    if (!isHeld(node)) journal.updateAllocation(key, ended(manifest.allocations[key]))
  }
  return open.filter(({ node }) => isHeld(node)).map(({ refusal }) => refusal)
}

function ended(
  entry: ManifestAllocation | undefined
): Pick<ManifestAllocation, 'status' | 'exit_code' | 'error'> {
  return { status: 'terminated', exit_code: entry?.exit_code, error: undefined }
}

async function shutDown(
  { actor, journal }: TeardownDeps,
  entry: ManifestAllocation,
  signal: AbortSignal
): Promise<Result<void>> {
  const provider = readHandle(journal.manifest?.nodes[entry.node_id]?.handle)
  if (provider === undefined || entry.handle === undefined)
    return refuse(refusal('ALLOCATION_NOT_MADE', 'it was not made yet'))
  const { shutdown } = ensembleBehaviors(journal.id)
  const payload = { AllocationID: entry.id }
  const reply = await actor.invoke(provider, shutdown, payload, { timeoutMs: SHUTDOWN_LIMIT_MS, signal })
  if (!reply.ok) return reply
  const answer = okReplySchema.safeParse(reply.value.payload)
  if (answer.success && answer.data.OK) return ok(undefined)
  return refuse(refusal('PROVIDER_ERROR', clip(answer.data?.Error || 'unreadable answer')))
}

function describe(key: string, cause: Refusal): Refusal {
  return refusal('ALLOCATION_SHUTDOWN', `allocation '${key}' could not be shut down: ${cause.message}`, {
    details: { allocation: key }
  })
}
