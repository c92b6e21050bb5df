/**
 * A daemon reduced to its executor, to be killed by tests: starts the execution that its argument describes,
 * prints the handle as one line, and lives on. With `hang` it never finishes storing the handle.
 */

import { createDockerExecutor } from '../../../src/executor/docker/index.ts'
import type { ExecutionRequest } from '../../../src/executor/index.ts'
import { createWasmExecutor } from '../../../src/executor/wasm/index.ts'
import { systemClock, systemRandom } from '../../../src/utils/index.ts'
import { quietLog } from './docker-support.ts'

interface Task {
  readonly type: 'docker' | 'wasm'
  readonly ownerId: string
  readonly stateDirectory: string
  readonly hang: boolean
  readonly request: ExecutionRequest
}

const { type, ownerId, stateDirectory, hang, request }: Task = JSON.parse(process.argv[2] ?? '')
const deps = { clock: systemClock, random: systemRandom, log: quietLog }
const executor =
  type === 'docker'
    ? createDockerExecutor(deps, { ownerId })
    : createWasmExecutor(deps, { ownerId, stateDirectory })

const handle = await executor.start(request, {
  onHandle: async stored => {
    if (!hang) return
    console.log(JSON.stringify(stored))
    await systemClock.sleep(60_000)
  }
})
console.log(JSON.stringify(handle))
await executor.wait(handle).then(() => systemClock.sleep(60_000))
