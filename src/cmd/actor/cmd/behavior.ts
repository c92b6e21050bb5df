/** From a row of the table of behaviours to a command. */

import { type Command, command, type Invocation } from '../../cli/command.ts'
import type { FlagTable } from '../../cli/flags.ts'
import { MESSAGE_EXCLUSIVE, MESSAGE_FLAGS } from '../flags.ts'
import { runBehavior } from './handler.ts'
import type { BehaviorSpec } from './types.ts'

/** Ties a row's flags to its payload. */
export function behavior<const T extends FlagTable>(row: BehaviorSpec<T>): BehaviorSpec<T> {
  return row
}

/** The command of a row. */
export function behaviorCommand(row: BehaviorSpec): Command {
  return command({
    name: row.path,
    summary: row.summary,
    flags: { ...MESSAGE_FLAGS, ...row.flags },
    exclusive: MESSAGE_EXCLUSIVE,
    ...(row.oneOf === undefined ? {} : { oneOf: row.oneOf }),
    examples: row.examples ?? [`nunet actor cmd -c user ${row.path}`],
    exitCodes: 'compatible',
    // The command's table holds the flags of every message, so its values do.
    handler: { run: invocation => runBehavior(row, invocation as Invocation<typeof MESSAGE_FLAGS>) }
  })
}
