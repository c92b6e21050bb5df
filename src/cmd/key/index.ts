/** `nunet key`: identities (cli-api-config §2.3, identity-and-actors §3.6). */

import { type CommandNode, command } from '../cli/command.ts'
import { keyDidHandler } from './did.ts'
import { KEY_NEW_FLAGS } from './flags.ts'
import { keyListHandler } from './list.ts'
import { keyNewHandler } from './new.ts'

export const keyCommands: readonly CommandNode[] = [
  command({
    name: 'new',
    summary: 'make a key and print its DID',
    description:
      'Makes an Ed25519 key, seals it with a passphrase in <user_dir>/key/<name>.json and prints its DID.',
    words: ['<name>'],
    flags: KEY_NEW_FLAGS,
    examples: ['nunet key new user', 'DMS_PASSPHRASE=… nunet key new dms'],
    exitCodes: 'compatible',
    handler: keyNewHandler
  }),
  command({
    name: 'did',
    summary: 'print the DID of a key',
    words: ['<name>'],
    flags: {},
    examples: ['nunet key did user'],
    exitCodes: 'compatible',
    handler: keyDidHandler
  }),
  command({
    name: 'list',
    summary: 'print the names of all keys',
    flags: {},
    examples: ['nunet key list'],
    exitCodes: 'compatible',
    handler: keyListHandler
  })
]
