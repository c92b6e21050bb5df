/**
 * The configuration: one table of keys, from which come types, defaults, checks, flags and the reference page.
 * Also the only reader of the process environment.
 *
 * @example
 * ```ts
 * const env = readEnvironment()
 * const { config, secrets } = loadConfig({ env, cwd, homeDirectory: env.homeDirectory, flags: { 'rest-port': '0' } })
 * ```
 *
 * @packageDocumentation
 */
export { CONFIG_FILE_NAME, type ConfigFiles } from './config-file.ts'
export { type Environment, EnvironmentSettings, readEnvironment } from './environment.ts'
export { ConfigError, type ConfigErrorCode } from './errors.ts'
export {
  type ConfigFlags,
  type ConfigOrigin,
  type ConfigSources,
  getConfigValue,
  type LoadedConfig,
  loadConfig
} from './load.ts'
export { configReference, GLOBAL_FLAGS, type GlobalFlag } from './reference.ts'
export { Secret } from './secret.ts'
export type { Config } from './types.ts'
export { type ConfigWrite, createConfigFile, writeConfigValue } from './write.ts'
