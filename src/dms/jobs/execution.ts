import { join } from 'node:path'
import type { AllocationRecord } from '../../db/index.ts'
import type { ExecutionRequest } from '../../executor/index.ts'
import type { Resources } from '../../types/index.ts'
import { base64ToBytes } from '../../utils/index.ts'
import type { AllocationRequest } from './messages.ts'
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
