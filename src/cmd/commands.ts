/** All commands. Loaded when one of them is looked at; the root names them without it. */

import { actorCommands } from './actor/index.ts'
import { capCommands } from './cap/index.ts'
import type { CommandGroup } from './cli/command.ts'
import { complete, completion } from './completion/index.ts'
import { configCommands } from './config/index.ts'
import { deploy } from './deploy/index.ts'
import { doctor } from './doctor/index.ts'
import { keyCommands } from './key/index.ts'
import { logs } from './logs/index.ts'
import { ps } from './ps/index.ts'
import { run } from './run/index.ts'
import { stop } from './stop/index.ts'
import { up } from './up/index.ts'
import { version } from './version/index.ts'

export { createSystemCli } from './cli/system-cli.ts'

const key: CommandGroup = {
  name: 'key',
  summary: 'make keys and show their DIDs',
  examples: ['nunet key new user', 'nunet key did user'],
  children: keyCommands
}

const cap: CommandGroup = {
  name: 'cap',
  summary: 'say who may do what: capability contexts and tokens',
  examples: ['nunet cap new dms', 'nunet cap anchor -c dms --root "$(nunet key did user)"'],
  children: capCommands
}

const config: CommandGroup = {
  name: 'config',
  summary: 'show and change the configuration',
  examples: ['nunet config get rest.port', 'nunet config set rest.port 10000'],
  children: configCommands
}

const actor: CommandGroup = {
  name: 'actor',
  summary: 'talk to actors: nodes, orchestrators, allocations',
  examples: ['nunet actor cmd -c user /public/hello', 'nunet actor cmd -c user /dms/node/peers/list'],
  children: actorCommands
}

/** By the name the root gives them. */
export const commands = {
  up,
  deploy,
  ps,
  logs,
  stop,
  doctor,
  key,
  cap,
  run,
  actor,
  config,
  version,
  completion,
  __complete: complete
}
