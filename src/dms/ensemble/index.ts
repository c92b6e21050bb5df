/**
 * Ensembles: the file a user writes, the structure that travels, and the questions an orchestrator asks of it.
 *
 * @packageDocumentation
 */
export { checkEnsemble } from './check.ts'
export { MAX_ALLOCATIONS_PER_NODE, MAX_ENSEMBLE_JSON_BYTES, MAX_NODES } from './constants.ts'
export {
  type EnsembleProblem,
  formatProblem,
  type ParsedEnsemble,
  type ParseOptions,
  parseEnsembleFile
} from './file/index.ts'
export {
  allocationId,
  isAllocationName,
  isNodeName,
  manifestKey,
  parseAllocationId,
  parseManifestKey
} from './names.ts'
export {
  findAllocation,
  nodeAllocations,
  nodeDemand,
  nodeExecutors,
  nodeNeedsPrivilege,
  nodeOfAllocation,
  nodePorts,
  startLevels
} from './plan.ts'
export { ensembleSchema } from './schema.ts'
export type {
  AllocationRecovery,
  AllocationSpec,
  AllocationType,
  EdgeSpec,
  Ensemble,
  EnsembleV1,
  ExecutionSpec,
  HealthCheckSpec,
  LocationConstraints,
  LocationSpec,
  NodeRecovery,
  NodeSpec,
  PortSpec,
  SupervisorSpec
} from './types.ts'
