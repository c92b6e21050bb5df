import { command } from '../../cli/command.ts'
import { capBroadcastHandler } from './broadcast.ts'
import { BROADCAST_FLAGS, REVOCATIONS_FLAGS } from './flags.ts'
import { capRevocationsHandler } from './list.ts'

export const broadcast = command({
  name: 'broadcast',
  summary: 'let the local node tell its network of a revocation',
  description:
    'Takes what nunet cap revoke printed. Nodes that are away learn of it when they meet one that knows. A revocation by somebody whom the anchors of other nodes do not name counts there only with --proof, the token it revokes.',
  words: ['<revocations|file|->'],
  flags: BROADCAST_FLAGS,
  examples: [
    'nunet cap broadcast revocation.json',
    'nunet cap revoke -c user token.json | nunet cap broadcast --proof token.json -'
  ],
  exitCodes: 'compatible',
  handler: capBroadcastHandler
})

export const revocations = command({
  name: 'revocations',
  summary: 'list what is revoked, and how old that knowledge is',
  description:
    'Asks the local node what is revoked, by whom, and since when it knows. A node that has met no other says how old its knowledge is. When the node does not run, its capability file is read.',
  flags: REVOCATIONS_FLAGS,
  examples: ['nunet cap revocations', 'nunet cap revocations --output json'],
  exitCodes: 'human',
  handler: capRevocationsHandler
})
