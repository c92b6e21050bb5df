import { createMockExecutor, createMockWorld } from '../../src/executor/mock/index.ts'
import { systemClock } from '../../src/utils/index.ts'
import { executorContract } from './executor.suite.ts'

executorContract('mock', async () => {
  const world = createMockWorld()
  return {
    create: ownerId => createMockExecutor({ clock: systemClock }, { ownerId, world }),
    workloads: {
      prints: (stdout, stderr, exitCode) => ({ run_for: '10ms', stdout, stderr, exit_code: exitCode }),
      runsForever: { run_for: 'forever' },
      ignoresStop: { run_for: 'forever', ignore_stop: true },
      slowTask: { run_for: '500ms', stdout: 'one\ntwo\n' },
      invalid: { run_for: 'soon' }
    },
    canExec: true,
    dispose: async () => undefined
  }
})
