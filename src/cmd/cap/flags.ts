/** Flags of `nunet cap` (cli-api-config §2.5). */

import type { FlagTable } from '../cli/flags.ts'
import { OUTPUT_FLAG } from '../deployments/flags.ts'

/** Which context. */
export const CONTEXT_FLAGS = {
  context: { kind: 'string', short: 'c', description: 'capability context', default: 'user' }
} as const satisfies FlagTable

/** `nunet cap new`. */
export const NEW_FLAGS = {
  force: { kind: 'bool', short: 'f', description: 'replace a context of that name without asking' },
  encrypt: { kind: 'bool', description: 'seal the file: only who can open the key can read it' },
  'prism-url': {
    kind: 'string',
    description: 'PRISM resolver to check the DID of the key with; did.prism_resolver unless given'
  }
} as const satisfies FlagTable

/** `nunet cap list`. */
export const LIST_FLAGS = { ...CONTEXT_FLAGS, ...OUTPUT_FLAG } as const satisfies FlagTable

/** `nunet cap anchor`. */
export const ANCHOR_FLAGS = {
  ...CONTEXT_FLAGS,
  root: { kind: 'string', description: 'DID that may do everything' },
  require: { kind: 'string', description: 'token list, a file with it, or -: whom to accept' },
  provide: { kind: 'string', description: 'token list, a file with it, or -: what this context was granted' },
  revoke: { kind: 'string', description: 'revocation, a file with it, or -' }
} as const satisfies FlagTable

/** What a token says: `nunet cap grant`. */
export const TOKEN_FLAGS = {
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
    description:
      'how many links may follow: 1 is to be used, not passed on; 2 to be passed on once; 0 is without limit',
    default: '0'
  }
} as const satisfies FlagTable

/** `nunet cap grant`. */
export const GRANT_FLAGS = {
  ...TOKEN_FLAGS,
  action: {
    kind: 'string',
    description: "what the subject may do: 'delegate' (use and pass on), 'invoke' or 'broadcast'",
    default: 'delegate'
  }
} as const satisfies FlagTable

/** `nunet cap delegate`. */
export const DELEGATE_FLAGS = {
  ...TOKEN_FLAGS,
  'auto-expire': { kind: 'bool', description: 'end with the token that is passed on' },
  'self-sign': {
    kind: 'string',
    description: "'no', 'also' or 'only': sign on the own authority as well",
    default: 'no'
  }
} as const satisfies FlagTable

/** `nunet cap remove`. */
export const REMOVE_FLAGS = {
  ...CONTEXT_FLAGS,
  root: { kind: 'string', description: 'DID to trust no longer' },
  require: { kind: 'string', description: 'token to remove, a file with it, or its id' },
  provide: { kind: 'string', description: 'token to remove, a file with it, or its id' },
  aside: { kind: 'bool', description: 'forget the entries that cannot be used' }
} as const satisfies FlagTable
