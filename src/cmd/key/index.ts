/** `nunet key`: identities (cli-api-config §2.3, identity-and-actors §3.6). */

import { type CommandNode, command } from '../cli/command.ts'
import { keyAgentHandler } from './agent.ts'
import { KEY_AGENT_FLAGS, KEY_LOCK_FLAGS, KEY_UNLOCK_FLAGS } from './agent-flags.ts'
import { foreignKeyCommands } from './definition.ts'
import { keyDidHandler } from './did.ts'
import { KEY_NEW_FLAGS } from './flags.ts'
import { keyListHandler } from './list.ts'
import { keyLockHandler } from './lock.ts'
import { keyNewHandler } from './new.ts'
import { keyUnlockHandler } from './unlock.ts'

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
    description:
      "Opens the key and prints its DID. Names that start with 'ledger' or 'eternl' mean a wallet, which is asked for its key through the program 'ledger-cli' or 'eternl-cli' in PATH: 'ledger', 'ledger:<account>', 'ledger:<alias>'. A name behind the colon that is neither means account 0.",
    words: ['<name>'],
    flags: {},
    examples: ['nunet key did user', 'nunet key did ledger', 'nunet key did ledger:1'],
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
  }),
  ...foreignKeyCommands,
  command({
    name: 'agent',
    summary: 'hold unlocked keys for a while, so that commands need no passphrase',
    description:
      "Starts a process in the background that holds the keys 'nunet key unlock' gives it and signs capability tokens with them. It is off unless you start it. It takes requests from processes of this user only, signs nothing but tokens and the keys of sealed contexts, and gives no key out. It ends with the login session it was started in, after --lifetime, and when no key is unlocked for the time of --idle. What it cannot do: keep other programs of this user from having tokens signed while a key is unlocked.",
    flags: KEY_AGENT_FLAGS,
    exclusive: [['foreground', 'status', 'stop']],
    examples: [
      'nunet key agent',
      'nunet key agent --idle 5m --lifetime 1h',
      'nunet key agent --status --output json',
      'nunet key agent --stop'
    ],
    exitCodes: 'compatible',
    handler: keyAgentHandler
  }),
  command({
    name: 'unlock',
    summary: 'have the key agent hold a key',
    description:
      'Asks for the passphrase once and gives it to the key agent, which opens the key. Until it is locked again, commands that sign with this key ask for nothing and do not wait for the key derivation.',
    words: ['<name>'],
    flags: KEY_UNLOCK_FLAGS,
    examples: ['nunet key unlock user', 'nunet key unlock --lifetime 30m user'],
    exitCodes: 'compatible',
    handler: keyUnlockHandler
  }),
  command({
    name: 'lock',
    summary: 'have the key agent drop keys',
    words: ['[name]…'],
    flags: KEY_LOCK_FLAGS,
    examples: ['nunet key lock user', 'nunet key lock --all'],
    exitCodes: 'compatible',
    handler: keyLockHandler
  })
]
