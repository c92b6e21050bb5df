/** The tree of commands by name. What a command is and does loads when it is looked at, all in one file. */

import type { CommandGroup, LazyNode } from './cli/command.ts'
import { GLOBAL_FLAGS } from './cli/global-flags.ts'
import type { commands } from './commands.ts'

function lazy(name: keyof typeof commands, summary: string, hidden?: true): LazyNode {
  return {
    name,
    summary,
    ...(hidden ? { hidden } : {}),
    open: async () => (await import('./commands.ts')).commands[name]
  }
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
  children: [
    lazy('up', 'set up this machine and run the node'),
    lazy('deploy', 'deploy an ensemble file and follow it'),
    lazy('ps', 'list deployments and their allocations'),
    lazy('logs', 'print what workloads wrote'),
    lazy('stop', 'stop deployments'),
    lazy('doctor', 'find out what is wrong with this machine'),
    lazy('key', 'make keys and show their DIDs'),
    lazy('cap', 'say who may do what: capability contexts and tokens'),
    lazy('run', 'run the daemon in the foreground'),
    lazy('actor', 'talk to actors: nodes, orchestrators, allocations'),
    lazy('config', 'show and change the configuration'),
    lazy('version', 'print the version'),
    lazy('completion', 'print a completion script for bash or zsh', true),
    lazy('__complete', 'print what may follow some words', true)
  ]
}
