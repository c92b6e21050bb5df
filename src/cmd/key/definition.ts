/** Commands for keys from elsewhere: imported ones, PRISM DIDs, accounts of a Ledger (cli-api-config §2.3). */

import { type CommandGroup, type CommandNode, command } from '../cli/command.ts'
import { OUTPUT_FLAG } from '../deployments/flags.ts'
import { keyCreatePrismHandler } from './create-prism.ts'
import { CREATE_PRISM_FLAGS, KEY_NEW_FLAGS } from './flags.ts'
import { keyImportHandler } from './import.ts'
import { keyImportPrismHandler } from './import-prism.ts'
import { ledgerAliasListHandler, ledgerAliasRemoveHandler, ledgerAliasSetHandler } from './ledger-alias.ts'

const ARGUMENTS_ARE_PUBLIC =
  "Give '-' to have the key read from standard input: arguments of a command are visible to other users of this machine, and stay in the history of the shell."

const importKey = command({
  name: 'import',
  summary: 'seal a private key from elsewhere and print its DID',
  description: `Takes the hex of a private key in libp2p form (Ed25519 or secp256k1) or of a raw Ed25519 seed of 32 bytes, seals it with a passphrase in <user_dir>/key/<name>.json and prints its DID. ${ARGUMENTS_ARE_PUBLIC}`,
  words: ['<name>', '<hex>'],
  flags: KEY_NEW_FLAGS,
  examples: ['nunet key import user - <key.hex', 'nunet key import user 08011240…'],
  exitCodes: 'compatible',
  handler: keyImportHandler
})

const importPrism = command({
  name: 'import-prism',
  summary: 'seal the private key of a PRISM DID and sign for that DID with it',
  description: `Takes a private key as 'nunet key import' does. From then on 'nunet key did <name>' and capability contexts of that name use the PRISM DID. ${ARGUMENTS_ARE_PUBLIC}`,
  words: ['<name>', '<did:prism:…>', '<hex>'],
  flags: KEY_NEW_FLAGS,
  examples: ['nunet key import-prism acme did:prism:9bf3… - <key.hex'],
  exitCodes: 'compatible',
  handler: keyImportPrismHandler
})

const createPrism = command({
  name: 'create-prism',
  summary: 'make a key with a PRISM DID and have it published',
  description:
    "Makes two keys, seals them, and has a NeoPRISM service put the DID they make on the ledger: '<name>' signs for the DID, '<name>-prism-master' may change it later and is not needed otherwise. A run that was stopped after the keys were sealed is finished by the same command.",
  words: ['<name>'],
  flags: CREATE_PRISM_FLAGS,
  examples: [
    "nunet key create-prism --prism-url 'https://…' acme",
    'nunet key create-prism --key-type ed25519 --wait-confirmation acme'
  ],
  exitCodes: 'compatible',
  handler: keyCreatePrismHandler
})

const ledgerAlias: CommandGroup = {
  name: 'ledger-alias',
  summary: 'name accounts of a Ledger',
  description:
    "An alias stands for an account in names of wallets: after 'nunet key ledger-alias set work 3' the context 'ledger:work' signs with account 3. A name that is neither an alias nor a number means account 0.",
  examples: ['nunet key ledger-alias set work 3', 'nunet key ledger-alias list'],
  children: [
    command({
      name: 'set',
      summary: 'give an account a name',
      words: ['<alias>', '<account>'],
      flags: {},
      examples: ['nunet key ledger-alias set work 3'],
      exitCodes: 'compatible',
      handler: ledgerAliasSetHandler
    }),
    command({
      name: 'list',
      summary: 'print aliases and their accounts',
      flags: OUTPUT_FLAG,
      examples: ['nunet key ledger-alias list --output json'],
      exitCodes: 'compatible',
      handler: ledgerAliasListHandler
    }),
    command({
      name: 'remove',
      summary: 'forget an alias',
      words: ['<alias>'],
      flags: {},
      examples: ['nunet key ledger-alias remove work'],
      exitCodes: 'compatible',
      handler: ledgerAliasRemoveHandler
    })
  ]
}

/** What comes from elsewhere than `nunet key new`. */
export const foreignKeyCommands: readonly CommandNode[] = [importKey, importPrism, createPrism, ledgerAlias]
