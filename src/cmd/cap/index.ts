/** `nunet cap`: capability contexts and tokens (cli-api-config §2.5, identity-and-actors §4.4). */

import type { CommandNode } from '../cli/command.ts'
import { anchor, create, delegate, grant, list, remove, revoke, seal, unseal } from './definition.ts'
import { graph } from './graph/definition.ts'
import { helpCaps } from './help-caps/definition.ts'
import { inspect } from './inspect/definition.ts'
import { lint } from './lint/definition.ts'
import { broadcast, revocations } from './revocation/definition.ts'
import { why } from './why/definition.ts'

export const capCommands: readonly CommandNode[] = [
  create,
  anchor,
  grant,
  delegate,
  revoke,
  list,
  remove,
  broadcast,
  revocations,
  seal,
  unseal,
  inspect,
  lint,
  helpCaps,
  why,
  graph
]
