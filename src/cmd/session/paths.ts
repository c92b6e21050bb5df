import { join } from 'node:path'
import type { Config } from '../../config/index.ts'

/** Directories below `general.user_dir` (cli-api-config §5.5). */
export function userPaths(config: Pick<Config, 'general'>): {
  keys: string
  capabilities: string
  run: string
} {
  const base = config.general.user_dir
  return { keys: join(base, 'key'), capabilities: join(base, 'cap'), run: join(base, 'run') }
}
