import { join } from 'node:path'
import type { AllocationRecord } from '../../db/index.ts'
import { DEFAULT_TASK_TIME_LIMIT_MS, type ExecutionRequest } from '../../executor/index.ts'
import type { Refusal, Resources, Result } from '../../types/index.ts'
import { base64ToBytes, errorCode, errorMessage, NuError, ok, refusal, refuse } from '../../utils/index.ts'
import type { AllocationRequest, StartRequest } from './messages.ts'
import { optionsOf, specOf } from './stored.ts'

/** Where an allocation's output lives (deployment §2.15). */
export function resultsDirectory(workDirectory: string, allocationId: string): string {
  return join(workDirectory, 'jobs', allocationId)
}

/** The execution of an allocation as its record has it now. `resources` are the reserved ones, never the asked ones. */
export function executionRequest(
  record: AllocationRecord,
  settings: { executionId: string; resources: Resources; workDirectory: string; allowPrivileged: boolean }
): ExecutionRequest {
  const { request } = specOf(record)
  const options = optionsOf(record)
  return {
    executionId: settings.executionId,
    jobId: record.id,
    engine: request.Execution,
    resources: settings.resources,
    resultsDirectory: resultsDirectory(settings.workDirectory, record.id),
    ports: Object.entries(options.portMapping ?? {}).map(([hostPort, workloadPort]) => ({
      hostIp: '0.0.0.0',
      hostPort: Number(hostPort),
      workloadPort
    })),
    mounts: [],
    provisionScripts: orderedScripts(request),
    hosts: options.hosts,
    // Nothing else would end a task of a module that never returns.
    ...(request.Type === 'task' && request.Execution.type === 'wasm'
      ? { timeLimitMs: DEFAULT_TASK_TIME_LIMIT_MS }
      : {}),
    allowPrivileged: settings.allowPrivileged
  }
}

/** Scripts in the order of the list beside the map; those it does not name come after, by name. */
export function orderedScripts(request: AllocationRequest): { name: string; content: Uint8Array }[] {
  const scripts = new Map(Object.entries(request.ProvisionScripts))
  const names = [...new Set(request.ProvisionOrder)].filter(name => scripts.has(name))
  const others = [...scripts.keys()].filter(name => !names.includes(name)).sort()
  return [...names, ...others].map(name => ({ name, content: base64ToBytes(scripts.get(name) ?? '') }))
}

/** Ports of a start, host to workload: as given, else as committed. Only reserved host ports may be published. */
export function startPorts(
  record: AllocationRecord,
  request: StartRequest,
  reserved: readonly number[]
): Result<Record<string, number>> {
  const isGiven = Object.keys(request.PortMapping).length > 0
  const mapping: Record<string, number> = {}
  for (const [publicPort, workloadPort] of Object.entries(
    isGiven ? request.PortMapping : specOf(record).portMapping
  )) {
    const hostPort = Number(publicPort)
    if (workloadPort < 1 || !reserved.includes(hostPort)) {
      const problem = `port ${hostPort} to ${workloadPort} was not committed for allocation '${record.id}'`
      return refuse(refusal('ALLOCATION_PORT', problem))
    }
    mapping[hostPort] = workloadPort
  }
  return ok(mapping)
}

/** What an executor threw, for the orchestrator. */
export function executorRefusal(error: unknown): Refusal {
  const hint = error instanceof NuError && error.hint ? `; ${error.hint}` : ''
  return refusal(errorCode(error) ?? 'ALLOCATION_EXECUTOR', errorMessage(error) + hint)
}
