/** `nunet config` (cli-api-config §2.4). Its output goes to standard error, where existing scripts read it. */

import { type CommandNode, command } from '../cli/command.ts'
import { configEditHandler } from './edit.ts'
import { configGetHandler } from './get.ts'
import { configSetHandler } from './set.ts'

export const configCommands: readonly CommandNode[] = [
  command({
    name: 'get',
    summary: 'print the configuration, or one key',
    words: ['[key]'],
    flags: {},
    examples: ['nunet config get', 'nunet config get rest.port'],
    exitCodes: 'compatible',
    handler: configGetHandler
  }),
  command({
    name: 'set',
    summary: 'change one key in the configuration file',
    words: ['<key>', '<value>'],
    flags: {},
    examples: [
      'nunet config set rest.port 10000',
      'nunet config set p2p.listen_address /ip4/0.0.0.0/tcp/9001'
    ],
    exitCodes: 'compatible',
    handler: configSetHandler
  }),
  command({
    name: 'edit',
    summary: 'open the configuration file in $EDITOR',
    flags: {},
    examples: ['EDITOR=nano nunet config edit'],
    exitCodes: 'compatible',
    handler: configEditHandler
  })
]
