import { command } from '../cli/command.ts'
import { capAnchorHandler } from './anchor.ts'
import { capDelegateHandler } from './delegate.ts'
import {
  ANCHOR_FLAGS,
  CONTEXT_FLAGS,
  DELEGATE_FLAGS,
  GRANT_FLAGS,
  LIST_FLAGS,
  NEW_FLAGS,
  REMOVE_FLAGS
} from './flags.ts'
import { capGrantHandler } from './grant.ts'
import { capListHandler } from './list.ts'
import { capNewHandler } from './new.ts'
import { capRemoveHandler } from './remove.ts'
import { REVOKE_FLAGS } from './revocation/flags.ts'
import { capRevokeHandler } from './revoke.ts'
import { capSealHandler, capUnsealHandler } from './seal.ts'

export const create = command({
  name: 'new',
  summary: 'make a capability context, and its key when there is none',
  description:
    'The file is plain JSON that existing clients read; it holds no secret key. With --encrypt it is sealed for the key of the context: reading it then needs the passphrase or the key agent.',
  words: ['<name>'],
  flags: NEW_FLAGS,
  examples: ['nunet cap new user', 'nunet cap new --force dms', 'nunet cap new --encrypt user'],
  exitCodes: 'compatible',
  handler: capNewHandler
})

const ANCHORS = ['root', 'require', 'provide', 'revoke'] as const

export const anchor = command({
  name: 'anchor',
  summary: 'add an anchor of trust to a context',
  description:
    'Adds one anchor to a capability context. Needs no passphrase: nothing is signed. A running daemon of the context takes the change over at once.',
  flags: ANCHOR_FLAGS,
  oneOf: [ANCHORS],
  exclusive: [ANCHORS],
  examples: [
    'nunet cap anchor -c dms --root "$(nunet key did user)"',
    'nunet cap anchor -c dms --require "$(nunet cap grant -c user --cap /public --duration 720h did:key:…)"',
    'nunet cap anchor -c user --provide token.json'
  ],
  exitCodes: 'compatible',
  handler: capAnchorHandler
})

export const grant = command({
  name: 'grant',
  summary: 'grant capabilities and print the token list',
  description:
    'Signs capabilities for a DID on the own authority of the context. The context is not changed. A token with the action delegate can be passed on and anchored; one with invoke or broadcast can only be used by its subject.',
  words: ['<subjectDID>'],
  flags: GRANT_FLAGS,
  oneOf: [['expiry', 'duration']],
  exclusive: [['expiry', 'duration']],
  examples: ['nunet cap grant -c org --cap /dms/deployment --topic /nunet --expiry 2027-12-31 did:key:…'],
  exitCodes: 'compatible',
  handler: capGrantHandler
})

export const delegate = command({
  name: 'delegate',
  summary: 'pass capabilities on and print the token list',
  description: 'Signs capabilities for a DID, chained on what the context was granted (its provide anchors).',
  words: ['<subjectDID>'],
  flags: DELEGATE_FLAGS,
  oneOf: [['expiry', 'duration', 'auto-expire']],
  exclusive: [
    ['expiry', 'duration', 'auto-expire'],
    ['auto-expire', 'self-sign']
  ],
  examples: [
    'nunet cap delegate -c user --cap /dms/deployment --topic /nunet --auto-expire "$(nunet key did dms)"'
  ],
  exitCodes: 'compatible',
  handler: capDelegateHandler
})

export const revoke = command({
  name: 'revoke',
  summary: 'take tokens of this context back and print the revocations',
  description:
    'Only the issuer of a token can revoke it. With --broadcast the revocations are also anchored in the context and handed to the local node, which puts them in force and tells its network.',
  words: ['<tokens|file|->'],
  flags: REVOKE_FLAGS,
  examples: [
    'nunet cap revoke -c org --broadcast --via user token.json',
    'nunet cap anchor -c dms --revoke "$(nunet cap revoke -c user "$(cat token.json)")"'
  ],
  exitCodes: 'compatible',
  handler: capRevokeHandler
})

export const list = command({
  name: 'list',
  summary: 'print the anchors of a context',
  flags: LIST_FLAGS,
  examples: ['nunet cap list -c dms', 'nunet cap list -c dms --output json'],
  exitCodes: 'compatible',
  handler: capListHandler
})

const REMOVABLE = ['root', 'require', 'provide', 'aside'] as const

export const remove = command({
  name: 'remove',
  summary: 'remove an anchor from a context',
  description: "A token is given as JSON, or by its id as 'nunet cap list --output json' shows it.",
  flags: REMOVE_FLAGS,
  oneOf: [REMOVABLE],
  exclusive: [REMOVABLE],
  examples: [
    'nunet cap remove -c dms --root did:key:…',
    'nunet cap remove -c dms --require 000102030405060708090a0b'
  ],
  exitCodes: 'compatible',
  handler: capRemoveHandler
})

export const seal = command({
  name: 'seal',
  summary: 'encrypt the file of a context for its key',
  description:
    'Nothing is lost: anchors stay, backups are sealed as well, and nunet cap unseal takes it back. Existing clients cannot read a sealed file. The key must be one of this machine, not of a wallet.',
  flags: CONTEXT_FLAGS,
  examples: ['nunet cap seal -c user'],
  exitCodes: 'compatible',
  handler: capSealHandler
})

export const unseal = command({
  name: 'unseal',
  summary: 'make the file of a sealed context plain again',
  flags: CONTEXT_FLAGS,
  examples: ['nunet cap unseal -c user'],
  exitCodes: 'compatible',
  handler: capUnsealHandler
})
