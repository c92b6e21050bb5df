/**
 * An executor that runs nothing: its workloads are timers with knobs. All of its time comes from the clock it
 * is given, so that hundreds of them run under virtual time.
 *
 * @example
 * ```ts
 * const world = createMockWorld()
 * const executor = createMockExecutor({ clock }, { ownerId: 'node-1', world })
 * const handle = await executor.start({ ...request, engine: { type: 'mock', params: { run_for: '10s', exit_code: 7 } } })
 * await clock.advance(10_000)
 * const { exitCode } = await executor.wait(handle) // 7
 * ```
 *
 * @packageDocumentation
 */
export { createMockExecutor, type MockExecutorDeps, type MockExecutorOptions } from './mock-executor.ts'
export type { MockParams } from './params.ts'
export { createMockWorld, type MockExecution, type MockWorld } from './world.ts'
