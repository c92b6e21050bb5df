import type { Config } from '../../config/index.ts'
import type { PlaceOptions } from '../../key-agent/index.ts'
import type { Cli } from '../cli/command.ts'

/** Where the agent of this user directory would be. */
export function agentPlace(cli: Pick<Cli, 'environment'>, config: Pick<Config, 'general'>): PlaceOptions {
  return {
    userDirectory: config.general.user_dir,
    runtimeDirectory: cli.environment.runtimeDirectory
  }
}
