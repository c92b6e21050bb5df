/** `nunet actor`: messages to actors (cli-api-config §2.8). */

import type { CommandNode } from '../cli/command.ts'
import { cmd } from './cmd/index.ts'
import { broadcast, invoke, msg, send } from './definition.ts'

export const actorCommands: readonly CommandNode[] = [msg, send, invoke, broadcast, cmd]
