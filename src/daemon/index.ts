/**
 * The daemon: everything put together and run until it is told to stop.
 *
 * @packageDocumentation
 */
export { type DaemonOptions, type ReadyInfo, runDaemon } from './daemon.ts'
export { DaemonError, type DaemonErrorCode } from './errors.ts'
export { trimHeapWhenIdle } from './heap-trimmer.ts'
