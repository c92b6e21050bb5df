import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWasmExecutor } from '../../src/executor/wasm/index.ts'
import { systemClock, systemRandom } from '../../src/utils/index.ts'
import { quietLog } from '../integration/executor/docker-support.ts'
import { moduleText } from '../integration/executor/wasm-support.ts'
import { executorContract } from './executor.suite.ts'

executorContract('wasm', async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'nunet-wasm-'))
  return {
    create: ownerId =>
      createWasmExecutor(
        { clock: systemClock, random: systemRandom, log: quietLog },
        { ownerId, stateDirectory }
      ),
    workloads: {
      prints: (stdout, stderr, exitCode) => ({
        module: moduleText('echo'),
        args: [stdout, stderr, String(exitCode)]
      }),
      runsForever: { module: moduleText('endless-loop') },
      slowTask: { module: moduleText('slow') },
      invalid: { module: moduleText('foreign-import') }
    },
    canExec: false,
    dispose: async () => await rm(stateDirectory, { recursive: true, force: true })
  }
})
