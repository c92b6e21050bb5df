/** What the tests over whole nodes share: small ensembles, deploying them, and looking at what became of them. */

import assert from 'node:assert/strict'
import { type Ensemble, ensembleSchema } from '../../../src/dms/ensemble/index.ts'
import { renderRefusal } from '../../../src/utils/index.ts'
import type { Machine, World } from '../../utils/world.ts'

export interface Wish {
  readonly params?: Record<string, unknown>
  readonly type?: 'task' | 'service'
  readonly cores?: number
  readonly recovery?: string
  readonly peer?: string
  readonly healthcheck?: Record<string, unknown>
}

export const SERVICE: Wish = { type: 'service', params: { run_for: 'forever', stdout: 'serving\n' } }

/** An ensemble of one allocation `job-<node>` per node. */
export function ensembleOf(nodes: Record<string, Wish>, extra: Record<string, unknown> = {}): Ensemble {
  const allocations = Object.entries(nodes).map(([name, wish]) => [
    `job-${name}`,
    {
      executor: 'mock',
      type: wish.type ?? 'task',
      resources: { cpu: { cores: wish.cores ?? 1 }, ram: { size: 2 ** 30 }, disk: { size: 2 ** 30 } },
      execution: { type: 'mock', params: wish.params ?? { run_for: '2s', stdout: `hello from ${name}\n` } },
      failure_recovery: wish.recovery ?? 'stay_down',
      healthcheck: wish.healthcheck
    }
  ])
  const specs = Object.entries(nodes).map(([name, { peer }]) => [
    name,
    { allocations: [`job-${name}`], peer }
  ])
  return ensembleSchema.parse({
    v1: { allocations: Object.fromEntries(allocations), nodes: Object.fromEntries(specs), ...extra }
  })
}

export async function deploy(
  world: World,
  machine: Machine,
  ensemble: Ensemble,
  limitMs = 600_000
): Promise<string> {
  const request = { requestedBy: machine.did, expiresAtMs: world.clock.nowMs() + limitMs }
  const created = await world.settle(machine.node.orchestrator.create(ensemble, request))
  assert.ok(created.ok, created.ok ? '' : renderRefusal(created.error))
  return created.value.id
}

/** The status, with its reasons when it failed. */
export function statusOf(machine: Machine, id: string): string {
  const { status, error } = machine.node.orchestrator.record(id)
  return status === 'Failed' && error ? `Failed: ${renderRefusal(error)}` : status
}

export async function untilStatus(
  world: World,
  machine: Machine,
  id: string,
  wanted: string,
  limitMs?: number
): Promise<void> {
  await world.until(
    `status '${wanted}'`,
    () => {
      const status = statusOf(machine, id)
      if (status.startsWith('Failed') && !wanted.startsWith('Failed')) assert.fail(status)
      return status.startsWith(wanted)
    },
    limitMs
  )
}

/** Status of an allocation as its orchestrator shows it. */
export function shown(machine: Machine, id: string, key: string): string | undefined {
  return machine.node.orchestrator.manifest(id)?.allocations[key]?.status
}

/** Nothing is left at a provider: no reservation, no running workload. */
export function assertEmpty(machine: Machine): void {
  assert.deepEqual(machine.database.reservations.list(), [])
  assert.equal(machine.runningWorkloads, 0)
}

export function isEmpty(machine: Machine): boolean {
  return machine.runningWorkloads === 0 && machine.database.reservations.list().length === 0
}
