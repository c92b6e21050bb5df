/** Health checks (deployment §2.10): a command inside the workload, or a GET to one of its own published ports. */

import type { Clock, Result } from '../../types/index.ts'
import { deadline, errorMessage, ok, refusal, refuse } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import { HEALTH_CHECK_LIMIT_MS, MAX_HEALTH_BODY_BYTES } from './constants.ts'
import { type HealthCheck, optionsOf } from './stored.ts'
import type { HttpGet } from './types.ts'

interface Deps {
  readonly clock: Clock
  readonly httpGet: HttpGet
}

/** Checks once, in bounded time. An allocation without a registered check is healthy while it runs. */
export async function checkHealth(
  deps: Deps,
  allocation: Allocation,
  signal?: AbortSignal
): Promise<Result<void>> {
  const execution = allocation.execution()
  if (!execution.ok) return execution
  const { healthCheck, portMapping = {} } = optionsOf(allocation.record)
  if (healthCheck === undefined) return ok(undefined)
  using limit = deadline(deps.clock, HEALTH_CHECK_LIMIT_MS, 'health check', signal)
  try {
    if (healthCheck.type === 'http')
      return await checkHttp(deps.httpGet, healthCheck, portMapping, limit.signal)
    const { executor, handle } = execution.value
    const { exitCode, stdout, stderr } = await executor.exec(handle, healthCheck.exec, {
      signal: limit.signal
    })
    if (exitCode !== 0) return unhealthy(`the command exited with code ${exitCode}`)
    const expected = healthCheck.response?.value ?? ''
    return (stdout + stderr).includes(expected)
      ? ok(undefined)
      : unhealthy(`the command's output does not contain '${expected}'`)
  } catch (error) {
    return unhealthy(errorMessage(error))
  }
}

async function checkHttp(
  httpGet: HttpGet,
  check: HealthCheck,
  portMapping: Readonly<Record<string, number>>,
  signal: AbortSignal
): Promise<Result<void>> {
  const target = resolveEndpoint(check.endpoint, portMapping)
  if (!target.ok) return target
  const { status, body } = await httpGet({ ...target.value, maxBytes: MAX_HEALTH_BODY_BYTES }, { signal })
  const expected = check.response?.value
  if (expected !== undefined)
    return body === expected ? ok(undefined) : unhealthy(`the answer is not '${expected}'`)
  return status >= 200 && status < 400 ? ok(undefined) : unhealthy(`the answer has status ${status}`)
}

/**
 * The host port and path behind an endpoint. Only the allocation's own ports are called, whatever host the URL
 * names: a check must not be a way to send requests into the provider's network. Either port of a mapping may be
 * written, the published one as the existing system expects or the workload's own as people expect.
 */
export function resolveEndpoint(
  endpoint: string,
  portMapping: Readonly<Record<string, number>>
): Result<{ port: number; path: string }> {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url?.protocol !== 'http:') return unhealthy(`'${endpoint}' is not an http URL`)
  const asked = Number(url.port || 80)
  const hostPort =
    asked in portMapping ? asked : Object.keys(portMapping).find(port => portMapping[port] === asked)
  if (hostPort === undefined)
    return unhealthy(`port ${asked} of '${endpoint}' is not a port of this allocation`)
  return ok({ port: Number(hostPort), path: url.pathname + url.search })
}

function unhealthy(message: string): { ok: false; error: ReturnType<typeof refusal> } {
  return refuse(refusal('ALLOCATION_UNHEALTHY', message))
}
