/** Tells a person which of the tokens a command relies on will soon be of no use. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config/index.ts'
import {
  announcement,
  type Ending,
  effectOf,
  endingsOf,
  renewalOf,
  type StaticAnchors,
  stepsPassed
} from '../../dms/expiry/index.ts'
import type { Did } from '../../types/index.ts'
import type { Cli } from '../cli/command.ts'
import { oneLine } from '../cli/printable.ts'
import { userPaths } from './paths.ts'

/** Lines told at once; `nunet cap list` shows all. */
const MAX_LINES = 3

/** A capability context: its owner, its name. */
export interface ContextNames {
  readonly owner: Did
  readonly context: string
}

/**
 * Tokens of a context whose end is near, measured by the life they were made for. A token does not say when it was made;
 * its file has not been touched since it was put there, so it is at least as old as the file.
 */
export async function nearEndings(
  cli: Pick<Cli, 'clock'>,
  config: Config,
  { owner, context }: ContextNames,
  anchors: StaticAnchors
): Promise<Ending[]> {
  const nowMs = cli.clock.nowMs()
  const endings = endingsOf(anchors, owner, nowMs)
  if (endings.length === 0) return []
  const file = join(userPaths(config).capabilities, `${context}.cap`)
  const heldSinceMs = await stat(file).then(
    ({ mtimeMs }) => Math.min(mtimeMs, nowMs),
    () => nowMs
  )
  return endings.filter(({ endsAtMs }) => stepsPassed(endsAtMs - heldSinceMs, endsAtMs - nowMs) > 0)
}

/** Warns on standard error of own powers that end soon, and says who renews them. */
export async function tellEndings(
  cli: Pick<Cli, 'clock' | 'terminal'>,
  config: Config,
  names: ContextNames,
  anchors: Pick<StaticAnchors, 'provide'>
): Promise<void> {
  const nowMs = cli.clock.nowMs()
  const near = await nearEndings(cli, config, names, {
    roots: [],
    provide: anchors.provide,
    require: []
  })
  for (const { role, token, endsAtMs } of near.slice(0, MAX_LINES)) {
    const [first] = renewalOf(role, token, names)
    const line = announcement(effectOf(role, token), endsAtMs, nowMs)
    cli.terminal.err(`warning: in context '${names.context}' a capability ${oneLine(line)}\n`)
    if (first) cli.terminal.err(`hint: ${oneLine(first.by)} renews it: ${oneLine(first.command)}\n`)
  }
}
