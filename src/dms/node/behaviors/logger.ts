/** Changes the log level of a running daemon (cli-api-config §6.10). Not persisted. */

import { z } from 'zod'
import type { LogLevel } from '../../../types/index.ts'
import { type Declaration, declare } from '../declare.ts'

const LEVELS: Readonly<Record<string, LogLevel>> = {
  error: 'error',
  warn: 'warn',
  warning: 'warn',
  info: 'info',
  debug: 'debug'
}

export function loggerBehaviors({ setLogLevel }: { setLogLevel: (level: LogLevel) => void }): Declaration[] {
  return [
    declare({
      path: '/dms/node/logger/config',
      request: z.object({ level: z.string().max(16).optional() }),
      handle: ({ payload }) => {
        if (payload.level === undefined)
          return { OK: false, error: "only 'level' can be changed while the daemon runs" }
        const level = LEVELS[payload.level.toLowerCase()]
        if (level === undefined)
          return { OK: false, error: `unknown level '${payload.level}'; expected debug, info, warn or error` }
        setLogLevel(level)
        return { OK: true }
      },
      onError: ({ message }) => ({ OK: false, error: message })
    })
  ]
}
