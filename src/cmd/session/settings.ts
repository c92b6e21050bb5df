import { type Config, type ConfigFlags, type ConfigSources, loadConfig } from '../../config/index.ts'
import type { Cli } from '../cli/command.ts'

/** Where a command's configuration comes from: global flags that were typed, environment, file. */
export function configSources(
  cli: Pick<Cli, 'environment' | 'directory'>,
  globals: ReadonlyMap<string, unknown>
): ConfigSources {
  const { environment, directory } = cli
  const flags: ConfigFlags = Object.fromEntries([...globals].filter(isConfigFlag))
  return { env: environment, cwd: directory, homeDirectory: environment.homeDirectory, flags }
}

/** The configuration in effect. @throws ConfigError */
export function loadSettings(
  cli: Pick<Cli, 'environment' | 'directory'>,
  globals: ReadonlyMap<string, unknown>
): Config {
  return loadConfig(configSources(cli, globals)).config
}

function isConfigFlag(entry: [string, unknown]): entry is [string, string | number | boolean] {
  return typeof entry[1] === 'string' || typeof entry[1] === 'number' || typeof entry[1] === 'boolean'
}
