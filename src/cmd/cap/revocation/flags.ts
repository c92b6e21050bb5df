/** Flags of the commands about revocations. */

import type { FlagTable } from '../../cli/flags.ts'
import { OUTPUT_FLAG } from '../../deployments/flags.ts'
import { CONTEXT_FLAGS } from '../flags.ts'

/** `nunet cap revoke`. */
export const REVOKE_FLAGS = {
  ...CONTEXT_FLAGS,
  broadcast: {
    kind: 'bool',
    description: 'also anchor them in the context and let the local node tell its network'
  },
  via: {
    kind: 'string',
    description: 'with --broadcast: context that the local node obeys; that of --context unless given'
  }
} as const satisfies FlagTable

/** `nunet cap broadcast`. */
export const BROADCAST_FLAGS = {
  context: { kind: 'string', short: 'c', description: 'context that the local node obeys', default: 'user' },
  proof: {
    kind: 'string',
    description: 'the revoked tokens, or a file with them, for nodes that cannot know who issued them'
  }
} as const satisfies FlagTable

/** `nunet cap revocations`. */
export const REVOCATIONS_FLAGS = {
  context: { kind: 'string', short: 'c', description: 'context to ask the local node with', default: 'user' },
  node: {
    kind: 'string',
    description: 'context of the node, whose file is read when the node does not run',
    default: 'dms'
  },
  ...OUTPUT_FLAG
} as const satisfies FlagTable
