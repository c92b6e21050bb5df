/** Checks of one allocation in `/dms/deployment/allocate` before anything is made of it (deployment §3.2). */

import type { ReservationRecord } from '../../db/index.ts'
import type { Handle, Refusal, Result } from '../../types/index.ts'
import { errorMessage, ok, refusal, refuse } from '../../utils/index.ts'
import { addResources, lackingAmounts, NO_RESOURCES } from '../resources/index.ts'
import { orderedScripts } from './execution.ts'
import { parseAllocationId } from './ids.ts'
import type { AllocationRequest } from './messages.ts'
import type { ProviderDeps } from './types.ts'

export interface AcceptedAllocation {
  readonly id: string
  /** As the orchestrator sent it; the key of the reply. */
  readonly name: string
  readonly request: AllocationRequest
  readonly reservation: ReservationRecord
}

type Deps = Pick<ProviderDeps, 'db' | 'executors' | 'resources'> & { readonly allowPrivilegedDocker: boolean }

/** All allocations of one message, or a refusal with one cause for each thing that is wrong. */
export function acceptAllocations(
  deps: Deps,
  ensembleId: string,
  allocations: Readonly<Record<string, AllocationRequest>>,
  from: Handle
): Result<AcceptedAllocation[]> {
  deps.resources.sweep()
  const accepted: AcceptedAllocation[] = []
  const causes: Refusal[] = []
  for (const [name, request] of Object.entries(allocations)) {
    const result = acceptOne(deps, ensembleId, name, request, from)
    if (result.ok) accepted.push(result.value)
    else causes.push(result.error)
  }
  if (causes.length > 0)
    return refuse(refusal('ALLOCATE_REFUSED', causes.map(cause => cause.message).join('; '), { causes }))
  if (accepted.length > 0) return ok(accepted)
  return refuse(refusal('ALLOCATE_EMPTY', 'the message names no allocation'))
}

function acceptOne(
  deps: Deps,
  ensembleId: string,
  name: string,
  request: AllocationRequest,
  from: Handle
): Result<AcceptedAllocation> {
  const id = parseAllocationId(ensembleId, name)
  if (!id.ok) return id
  const reservation = deps.db.reservations.get(id.value)
  if (reservation === undefined || reservation.ensembleId !== ensembleId) {
    return refuse(
      refusal('ALLOCATE_NOT_COMMITTED', `allocation '${name}' is not committed, or its commit expired`)
    )
  }
  if (reservation.owner !== from.id) {
    return refuse(refusal('ALLOCATE_FOREIGN', `allocation '${name}' was committed by another orchestrator`))
  }
  if (reservation.state !== 'committed' || deps.db.allocations.get(id.value)) {
    return refuse(refusal('ALLOCATE_TWICE', `allocation '${name}' is already allocated`))
  }
  const problems = [...amountProblems(request, reservation), ...engineProblems(deps, request)]
  if (problems.length === 0) return ok({ id: id.value, name, request, reservation })
  const text = problems.map(problem => problem.message).join('; ')
  return refuse(refusal('ALLOCATE_INVALID', `allocation '${name}': ${text}`, { causes: problems }))
}

/** What runs is what was committed: asking for more now would be a way around the pool. */
function amountProblems(request: AllocationRequest, reservation: ReservationRecord): Refusal[] {
  const { gpus: _, ...asked } = request.Resources
  return lackingAmounts(addResources(NO_RESOURCES, reservation.resources), asked).map(lacking =>
    refusal('ALLOCATE_AMOUNT', `more than was committed: ${lacking.message}`)
  )
}

function engineProblems(deps: Deps, request: AllocationRequest): Refusal[] {
  const { type, params } = request.Execution
  const executor = deps.executors.get(type)
  if (executor === undefined)
    return [refusal('ALLOCATE_EXECUTOR', `executor '${type}' is not on this provider`)]
  const problems: string[] = []
  if (request.Executor !== type)
    problems.push(`executor '${request.Executor}' differs from execution type '${type}'`)
  problems.push(...executor.validate(params))
  if (params['privileged'] === true && !deps.allowPrivilegedDocker)
    problems.push('privileged docker is not allowed on this provider')
  // Silently leaving them out would start a workload that is not what was described.
  if (request.Volume.length > 0) problems.push('volumes are not available on this provider')
  if (request.Keys.length > 0) problems.push('keys are not available on this provider')
  try {
    orderedScripts(request)
  } catch (error) {
    problems.push(`a provision script is not base64: ${errorMessage(error)}`)
  }
  return problems.map(problem => refusal('ALLOCATE_ENGINE', problem))
}
