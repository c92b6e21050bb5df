/** Helpers for tests of every kind. */
export { type LogEntry, MemoryLog } from './memory-log.ts'
export { needs, type Part } from './requirements.ts'
export { SOURCE_ROOT, sourceFiles } from './source-files.ts'
export { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
export { installWalletPrograms } from './wallet-programs.ts'
