import type { FlagTable } from '../cli/flags.ts'

/** Flags of `nunet key` new. */
export const KEY_NEW_FLAGS = {
  force: { kind: 'bool', short: 'f', description: 'replace a key of that name without asking' }
} as const satisfies FlagTable

/** Flags of `nunet key create-prism` (cli-api-config §2.3). */
export const CREATE_PRISM_FLAGS = {
  ...KEY_NEW_FLAGS,
  'prism-url': {
    kind: 'string',
    description: 'address of the NeoPRISM service; did.prism_resolver unless given'
  },
  'key-type': {
    kind: 'string',
    description: "kind of the key that signs: 'secp256k1' or 'ed25519'",
    default: 'secp256k1'
  },
  'wait-confirmation': { kind: 'bool', description: 'wait until the service shows the DID' },
  timeout: { kind: 'duration', description: 'how long to wait for the confirmation', default: '2h' },
  'submission-timeout': { kind: 'duration', description: 'how long the submission may take', default: '2m' }
} as const satisfies FlagTable
