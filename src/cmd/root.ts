/** The tree of commands. Only names and tables: what a command does is loaded when it runs. */

import type { CommandGroup } from './cli/command.ts'
import { GLOBAL_FLAGS } from './cli/global-flags.ts'
import { run } from './run/index.ts'
import { version } from './version/index.ts'

const key: CommandGroup = {
  name: 'key',
  summary: 'make keys and show their DIDs',
  examples: ['nunet key new user', 'nunet key did user'],
  children: async () => (await import('./key/index.ts')).keyCommands
}

const cap: CommandGroup = {
  name: 'cap',
  summary: 'say who may do what: capability contexts and tokens',
  examples: ['nunet cap new dms', 'nunet cap anchor -c dms --root "$(nunet key did user)"'],
  children: async () => (await import('./cap/index.ts')).capCommands
}

const config: CommandGroup = {
  name: 'config',
  summary: 'show and change the configuration',
  examples: ['nunet config get rest.port', 'nunet config set rest.port 10000'],
  children: async () => (await import('./config/index.ts')).configCommands
}

const actor: CommandGroup = {
  name: 'actor',
  summary: 'talk to actors: nodes, orchestrators, allocations',
  examples: ['nunet actor cmd -c user /public/hello', 'nunet actor cmd -c user /dms/node/peers/list'],
  children: async () => (await import('./actor/index.ts')).actorCommands
}

export const root: CommandGroup = {
  name: 'nunet',
  summary: 'NuNet Device Management Service',
  description:
    'NuNet Device Management Service: join a network of computers that run workloads for one another.',
  persistent: GLOBAL_FLAGS,
  examples: [
    'nunet up                      set up this machine and run the node',
    'nunet deploy hello.yaml       run a workload and follow it',
    'nunet doctor                  find out what is wrong'
  ],
  children: async () => [key, cap, run, actor, config, version]
}
