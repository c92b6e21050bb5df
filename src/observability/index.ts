/**
 * Structured logs: one JSON object per line, bounded and without secrets. Only `daemon` and `cmd` import this;
 * everyone else receives a `Logger`.
 *
 * @example
 * ```ts
 * const file = createFileSink({ clock }, { path, maxSizeBytes: 100 * MIB, maxBackups: 3, maxAgeDays: 28 })
 * const log = createLogger({ clock, write: line => file.write(line) }, { level: parseLogLevel('INFO') })
 * log.child({ component: 'network' }).info('peer connected', { peer })
 * ```
 *
 * @packageDocumentation
 */
export { createFileSink, type FileSinkDeps, type FileSinkOptions, type LogSink } from './file-sink.ts'
export {
  combineLoggers,
  createLogger,
  type LeveledLogger,
  type LoggerDeps,
  type LoggerOptions,
  nullLogger,
  parseLogLevel
} from './logger.ts'
