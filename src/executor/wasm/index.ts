/**
 * The embedded WebAssembly executor: needs nothing installed and no root. Each execution is a detached process
 * of this Node binary, locked up by Node's permission model, that runs a WASI preview 1 module in a worker.
 * The module gets arguments, environment, clocks, randomness and its standard streams: no files, no network.
 *
 * @example
 * ```ts
 * const executor = createWasmExecutor({ clock: systemClock, random: systemRandom, log }, { ownerId: peerId, stateDirectory })
 * executor.validate({ module: base64OfModule, args: ['100'] }) // []
 * ```
 *
 * @packageDocumentation
 */
export { DEFAULT_TASK_TIME_LIMIT_MS, MAX_MODULE_BYTES } from './constants.ts'
export { createWasmExecutor, type WasmExecutorDeps, type WasmExecutorOptions } from './wasm-executor.ts'
