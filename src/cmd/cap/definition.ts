import { command } from '../cli/command.ts'
import { capAnchorHandler } from './anchor.ts'
import { capDelegateHandler } from './delegate.ts'
import { ANCHOR_FLAGS, CONTEXT_FLAGS, DELEGATE_FLAGS, NEW_FLAGS, REMOVE_FLAGS, TOKEN_FLAGS } from './flags.ts'
import { capGrantHandler } from './grant.ts'
import { capListHandler } from './list.ts'
import { capNewHandler } from './new.ts'
import { capRemoveHandler } from './remove.ts'
import { capRevokeHandler } from './revoke.ts'

export const create = command({
  name: 'new',
  summary: 'make a capability context, and its key when there is none',
  words: ['<name>'],
  flags: NEW_FLAGS,
  examples: ['nunet cap new user', 'nunet cap new --force dms'],
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
    'nunet cap anchor -c user --provide "$(cat token.json)"'
  ],
  exitCodes: 'compatible',
  handler: capAnchorHandler
})

export const grant = command({
  name: 'grant',
  summary: 'grant capabilities and print the token list',
  description:
    'Signs capabilities for a DID on the own authority of the context. The context is not changed.',
  words: ['<subjectDID>'],
  flags: TOKEN_FLAGS,
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
  words: ['<tokens>'],
  flags: CONTEXT_FLAGS,
  examples: ['nunet cap anchor -c dms --revoke "$(nunet cap revoke -c user "$(cat token.json)")"'],
  exitCodes: 'compatible',
  handler: capRevokeHandler
})

export const list = command({
  name: 'list',
  summary: 'print the anchors of a context',
  flags: CONTEXT_FLAGS,
  examples: ['nunet cap list -c dms'],
  exitCodes: 'compatible',
  handler: capListHandler
})

const REMOVABLE = ['root', 'require', 'provide'] as const

export const remove = command({
  name: 'remove',
  summary: 'remove an anchor from a context',
  flags: REMOVE_FLAGS,
  oneOf: [REMOVABLE],
  exclusive: [REMOVABLE],
  examples: ['nunet cap remove -c dms --root did:key:…'],
  exitCodes: 'compatible',
  handler: capRemoveHandler
})
