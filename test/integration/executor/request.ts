/** Execution requests for tests, with everything at its least. */

import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionRequest } from '../../../src/executor/index.ts'
import { MIB } from '../../../src/utils/index.ts'

let count = 0

/** A request with an id and a results directory of its own, below `directory`. */
export async function requestIn(
  directory: string,
  params: Record<string, unknown>,
  more: Partial<ExecutionRequest> = {}
): Promise<ExecutionRequest> {
  count++
  return {
    executionId: `t${process.pid}-${count}`,
    jobId: 'ensemble_node.allocation',
    engine: { type: 'test', params },
    resources: { cpu: { cores: 1 }, ram: { size: 32 * MIB }, disk: { size: MIB } },
    resultsDirectory: await mkdtemp(join(directory, 'results-')),
    ports: [],
    mounts: [],
    provisionScripts: [],
    hosts: {},
    allowPrivileged: false,
    ...more
  }
}
