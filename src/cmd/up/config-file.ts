/** The configuration file of a new node: only what differs from the defaults, with ports that are free. */

import { resolve } from 'node:path'
import { CONFIG_FILE_NAME, type ConfigSources, loadConfig, writeConfigValue } from '../../config/index.ts'
import { utf8ToBytes } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { configSources } from '../session/settings.ts'
import { findFreePort } from './free-port.ts'

const FILE_MODE = 0o600
/** Default port of the peer-to-peer host (cli-api-config §4.2). */
const P2P_PORT = 9000
/** The word for a network of one's own. */
const NONE = 'none'

export interface ConfigWishes {
  readonly bootstrap: readonly string[]
  readonly listen: readonly string[]
}

/** Uses the configuration file there is, or makes one. The result is where to read it, and whether it is new. */
export async function prepareConfig(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  wishes: ConfigWishes
): Promise<{ sources: ConfigSources; path: string; created: boolean }> {
  const found = findConfig(cli, globals)
  const path = found ?? newPath(cli, globals)
  const sources = configSources(cli, new Map([...globals, ['config', path]]))
  if (found === undefined) await createConfig(cli, globals, path, wishes)
  else changeConfig(cli, sources, wishes)
  loadConfig(sources) // what was written must be readable before anything relies on it
  return { sources, path, created: found === undefined }
}

/** The file in use, if there is one. `--config` names one that may be missing. */
function findConfig(cli: Cli, globals: ReadonlyMap<string, unknown>): string | undefined {
  const named = globals.get('config')
  const userDirectory = globals.get('user-dir')
  if (typeof named === 'string') return existing(cli, globals, resolve(cli.directory, named))
  if (typeof userDirectory === 'string') return existing(cli, globals, newPath(cli, globals))
  return loadConfig(configSources(cli, globals)).path
}

function existing(cli: Cli, globals: ReadonlyMap<string, unknown>, path: string): string | undefined {
  const { existsSync } = process.getBuiltinModule('node:fs')
  return existsSync(path)
    ? loadConfig(configSources(cli, new Map([...globals, ['config', path]]))).path
    : undefined
}

/** Where a new file goes: where it was asked for, into the user directory that was named, or where it is searched. */
function newPath(cli: Cli, globals: ReadonlyMap<string, unknown>): string {
  const named = globals.get('config')
  const userDirectory = globals.get('user-dir')
  if (typeof named === 'string') return resolve(cli.directory, named)
  const directory =
    typeof userDirectory === 'string' ? userDirectory : resolve(cli.environment.homeDirectory, '.nunet')
  return resolve(cli.directory, directory, CONFIG_FILE_NAME)
}

async function createConfig(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  path: string,
  wishes: ConfigWishes
): Promise<void> {
  const { config } = loadConfig(
    configSources(cli, new Map([...globals].filter(([name]) => name !== 'config')))
  )
  const userDirectory = globals.get('user-dir')
  const base = typeof userDirectory === 'string' ? resolve(cli.directory, userDirectory) : undefined
  const text = {
    ...(base === undefined
      ? {}
      : {
          general: {
            user_dir: base,
            work_dir: directoryOr(globals, 'work-dir', `${base}/work`),
            data_dir: directoryOr(globals, 'data-dir', `${base}/data`)
          }
        }),
    rest: { addr: config.rest.addr, port: await findFreePort(config.rest.addr, config.rest.port) },
    p2p: {
      listen_address:
        wishes.listen.length > 0
          ? wishes.listen
          : [`/ip4/0.0.0.0/tcp/${await findFreePort('0.0.0.0', P2P_PORT)}`],
      ...(wishes.bootstrap.length > 0 ? { bootstrap_peers: readBootstrap(wishes.bootstrap) } : {})
    }
  }
  await cli.files.writeAtomic(path, utf8ToBytes(`${JSON.stringify(text, undefined, 2)}\n`), {
    mode: FILE_MODE
  })
}

function directoryOr(globals: ReadonlyMap<string, unknown>, flag: string, fallback: string): string {
  const value = globals.get(flag)
  return typeof value === 'string' ? value : fallback
}

/** A file that exists is changed only where a flag says so. */
function changeConfig(cli: Cli, sources: ConfigSources, { bootstrap, listen }: ConfigWishes): void {
  if (bootstrap.length > 0)
    writeConfigValue(cli, sources, 'p2p.bootstrap_peers', JSON.stringify(readBootstrap(bootstrap)))
  if (listen.length > 0) writeConfigValue(cli, sources, 'p2p.listen_address', JSON.stringify(listen))
}

function readBootstrap(list: readonly string[]): readonly string[] {
  return list.includes(NONE) ? [] : list
}
