/**
 * The Docker executor: runs workloads as containers of the local Docker engine (20.10 or newer), over a thin
 * client of its own.
 *
 * @example
 * ```ts
 * const executor = createDockerExecutor({ clock: systemClock, random: systemRandom, log }, { ownerId: peerId })
 * const { available, reason } = await executor.fingerprint()
 * ```
 *
 * @packageDocumentation
 */
export {
  createDockerExecutor,
  type DockerExecutorDeps,
  type DockerExecutorOptions
} from './docker-executor.ts'
