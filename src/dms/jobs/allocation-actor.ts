/** Behaviours of an allocation's own actor (deployment §3.5). Reached under grants made at allocation time. */

import { isIP } from 'node:net'
import { z } from 'zod'
import type { Behavior } from '../../actor/index.ts'
import type { ExecutionStats } from '../../executor/index.ts'
import type { Result } from '../../types/index.ts'
import { errorCode, errorMessage, ok, refusal, refuse } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import { MAX_HOSTS, START_LIMIT_MS } from './constants.ts'
import { checkHealth } from './health-check.ts'
import { BEHAVIORS, dnsRecordsSchema, startRequestSchema } from './messages.ts'
import { answer, answerProblem, answerRefusal, DONE } from './replies.ts'
import { healthCheckSchema, optionsOf } from './stored.ts'
import type { HttpGet, ProviderDeps } from './types.ts'

/** What an orchestrator is granted on an allocation actor (identity-and-actors §11.5, §9.7). */
export const ALLOCATION_CAPABILITIES = ['/dms/allocation', '/dms/actor/healthcheck'] as const

const SUBNET = '/dms/allocation/subnet'
/** The private network of an ensemble is not there yet; asking for it is answered, not ignored. */
const SUBNET_BEHAVIORS = [
  'add-peer',
  'remove-peer',
  'remove-peers',
  'accept-peer',
  'accept-peers',
  'map-port',
  'unmap-port',
  'dns/remove-record',
  'dns/remove-records'
].map(name => `${SUBNET}/${name}`)

const anything = z.unknown()
const registerSchema = z.object({ HealthCheck: healthCheckSchema })

type Deps = Pick<ProviderDeps, 'clock'> & { readonly httpGet: HttpGet }

/** Registers all behaviours; they end with the actor. */
export function serveAllocation(deps: Deps, allocation: Allocation): void {
  const { actor } = allocation
  const add = <Request>(behavior: Omit<Behavior<Request, unknown>, 'onError'>): void => {
    actor.addBehavior({ ...behavior, onError: answerProblem })
  }
  add({
    path: BEHAVIORS.allocationStart,
    request: startRequestSchema,
    timeLimitMs: START_LIMIT_MS,
    handle: async ({ payload }) => answer(await allocation.start(payload))
  })
  add({
    path: BEHAVIORS.allocationRestart,
    request: anything,
    timeLimitMs: START_LIMIT_MS,
    handle: async () => answer(await allocation.restart())
  })
  add({
    path: BEHAVIORS.allocationStats,
    request: anything,
    handle: ({ signal }) => readStats(allocation, signal)
  })
  add({
    path: BEHAVIORS.dnsAddRecords,
    request: dnsRecordsSchema,
    handle: ({ payload }) => answer(addHosts(allocation, payload.Records))
  })
  add({
    path: BEHAVIORS.healthCheckRegister,
    request: registerSchema,
    handle: ({ payload }) => {
      allocation.saveOptions({ healthCheck: payload.HealthCheck })
      return DONE
    }
  })
  add({
    path: BEHAVIORS.healthCheck,
    request: anything,
    handle: async ({ signal }) => answer(await checkHealth(deps, allocation, signal))
  })
  for (const path of SUBNET_BEHAVIORS) {
    const problem = refusal('ALLOCATION_NO_SUBNET', 'private network is not available')
    add({ path, request: anything, handle: () => answerRefusal(problem) })
  }
}

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/

/** Names for the next start. They end up in the workload's hosts file, so their form is checked. */
export function addHosts(allocation: Allocation, records: Readonly<Record<string, string>>): Result<void> {
  for (const [name, address] of Object.entries(records)) {
    // `host` stands for the machine the workload runs on.
    if (HOST_NAME.test(name) && (isIP(address) !== 0 || address === 'host')) continue
    return refuse(
      refusal('ALLOCATION_HOSTS', `'${name}' to '${address}' is not a host name to an IP address`)
    )
  }
  const hosts = { ...optionsOf(allocation.record).hosts, ...records }
  if (Object.keys(hosts).length > MAX_HOSTS)
    return refuse(refusal('ALLOCATION_HOSTS', `more than ${MAX_HOSTS} names`))
  allocation.saveOptions({ hosts })
  return ok(undefined)
}

async function readStats(allocation: Allocation, signal: AbortSignal): Promise<unknown> {
  const execution = allocation.execution()
  if (!execution.ok) return answerRefusal(execution.error)
  try {
    const { executor, handle } = execution.value
    return { ...DONE, Stats: statsToWire(await executor.stats(handle, { signal })) }
  } catch (error) {
    return answerRefusal(refusal(errorCode(error) ?? 'ALLOCATION_STATS', errorMessage(error)))
  }
}

/** Member names of the existing system's resource usage (cli-api-config §6.6). */
function statsToWire(stats: ExecutionStats): Record<string, number> {
  return {
    cpu_usage_percent: stats.cpuPercent,
    memory_used_bytes: stats.memoryUsedBytes,
    memory_limit_bytes: stats.memoryLimitBytes,
    network_rx_bytes: stats.networkRxBytes,
    network_tx_bytes: stats.networkTxBytes
  }
}
