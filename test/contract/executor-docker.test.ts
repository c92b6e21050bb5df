import { createDockerExecutor } from '../../src/executor/docker/index.ts'
import { systemClock, systemRandom } from '../../src/utils/index.ts'
import {
  dockerMissing,
  ensureTestImage,
  quietLog,
  TEST_IMAGE
} from '../integration/executor/docker-support.ts'
import { executorContract } from './executor.suite.ts'

const shell = (script: string) => ({ image: TEST_IMAGE, cmd: ['/bin/sh', '-c', script] })

executorContract(
  'docker',
  async () => {
    await ensureTestImage()
    return {
      create: ownerId =>
        createDockerExecutor({ clock: systemClock, random: systemRandom, log: quietLog }, { ownerId }),
      workloads: {
        prints: (stdout, stderr, exitCode) => ({
          image: TEST_IMAGE,
          entrypoint: ['/bin/sh', '-c', 'printf %s "$1"; printf %s "$2" >&2; exit "$3"', 'sh'],
          args: [stdout, stderr, String(exitCode)]
        }),
        runsForever: shell('exec sleep 600'),
        ignoresStop: shell("trap '' TERM; while :; do sleep 1; done"),
        slowTask: shell('echo one; sleep 0.5; echo two'),
        invalid: { image: 'Not An Image' }
      },
      canExec: true,
      dispose: async () => undefined
    }
  },
  await dockerMissing()
)
