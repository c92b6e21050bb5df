import { command } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { capAnchorHandler } from './anchor.ts'
import { capDelegateHandler } from './delegate.ts'
import { capGrantHandler } from './grant.ts'
import { capListHandler } from './list.ts'
import { capNewHandler } from './new.ts'
import { capRemoveHandler } from './remove.ts'
import { capRevokeHandler } from './revoke.ts'

export const CONTEXT_FLAGS = {
  context: { kind: 'string', short: 'c', description: 'capability context', default: 'user' }
} as const satisfies FlagTable

export const NEW_FLAGS = {
  force: { kind: 'bool', short: 'f', description: 'replace a context of that name without asking' }
} as const satisfies FlagTable

export const create = command({
  name: 'new',
  summary: 'make a capability context, and its key when there is none',
  words: ['<name>'],
  flags: NEW_FLAGS,
  examples: ['nunet cap new user', 'nunet cap new --force dms'],
  exitCodes: 'compatible',
  handler: capNewHandler
})

export const ANCHOR_FLAGS = {
  ...CONTEXT_FLAGS,
  root: { kind: 'string', description: 'DID that may do everything' },
  require: { kind: 'string', description: 'token list: whom to accept' },
  provide: { kind: 'string', description: 'token list: what this context was granted' },
  revoke: { kind: 'string', description: 'revocation token' }
} as const satisfies FlagTable

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

const TOKEN_FLAGS = {
  ...CONTEXT_FLAGS,
  cap: { kind: 'strings', description: 'capability to give, for example /dms/deployment; repeatable' },
  topic: {
    kind: 'strings',
    short: 't',
    description: 'topic the capabilities may be broadcast on; repeatable'
  },
  audience: {
    kind: 'string',
    short: 'a',
    description: 'DID the subject may use them with; anybody unless given'
  },
  expiry: { kind: 'time', short: 'e', description: 'date or time they end' },
  duration: { kind: 'duration', description: 'how long they last, for example 720h or 30d' },
  depth: {
    kind: 'uint',
    short: 'd',
    description: 'how often they may be delegated further; 0 is without limit',
    default: '0'
  }
} as const satisfies FlagTable

export const GRANT_FLAGS = TOKEN_FLAGS

export const grant = command({
  name: 'grant',
  summary: 'grant capabilities and print the token list',
  description:
    'Signs capabilities for a DID on the own authority of the context. The context is not changed.',
  words: ['<subjectDID>'],
  flags: GRANT_FLAGS,
  oneOf: [['expiry', 'duration']],
  exclusive: [['expiry', 'duration']],
  examples: ['nunet cap grant -c org --cap /dms/deployment --topic /nunet --expiry 2027-12-31 did:key:…'],
  exitCodes: 'compatible',
  handler: capGrantHandler
})

export const DELEGATE_FLAGS = {
  ...TOKEN_FLAGS,
  'auto-expire': { kind: 'bool', description: 'end with the token that is passed on' },
  'self-sign': {
    kind: 'string',
    description: "'no', 'also' or 'only': sign on the own authority as well",
    default: 'no'
  }
} as const satisfies FlagTable

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

export const REMOVE_FLAGS = {
  ...CONTEXT_FLAGS,
  root: { kind: 'string', description: 'DID to trust no longer' },
  require: { kind: 'string', description: 'token to remove' },
  provide: { kind: 'string', description: 'token to remove' }
} as const satisfies FlagTable

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
