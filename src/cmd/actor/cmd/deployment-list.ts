import { isoTime, parseDurationMs, parseTimeMs } from '../../../utils/index.ts'
import type { Cli } from '../../cli/command.ts'
import { UsageError } from '../../cli/errors.ts'

/** Statuses of deployments (deployment §2.3). */
const STATUSES: readonly string[] = [
  'Preparing',
  'Generating',
  'Committing',
  'Provisioning',
  'Running',
  'Updating',
  'Failed',
  'ShuttingDown',
  'Completed'
]

interface ListFlags {
  readonly filter: Record<string, string>
  readonly limit: number
  readonly offset: number
  readonly status: readonly string[]
  readonly 'created-after': string | undefined
  readonly 'created-before': string | undefined
  readonly 'updated-after': string | undefined
  readonly 'updated-before': string | undefined
  readonly sort: string
}

/** Request of `/dms/node/deployment/list` (cli-api-config §6.6). Members nobody asked for are left out. */
export function listRequest(flags: ListFlags, cli: Pick<Cli, 'clock' | 'terminal'>): Record<string, unknown> {
  const time = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : readTime(text, cli.clock.nowMs())
  return {
    metadata: flags.filter,
    ...(flags.limit > 0 ? { limit: flags.limit } : {}),
    ...(flags.offset > 0 ? { offset: flags.offset } : {}),
    ...(flags.status.length > 0 ? { status: readStatuses(flags.status, cli) } : {}),
    created_after: time(flags['created-after']),
    created_before: time(flags['created-before']),
    updated_after: time(flags['updated-after']),
    updated_before: time(flags['updated-before']),
    sort_by: flags.sort
  }
}

function readTime(text: string, nowMs: number): string {
  try {
    return isoTime(/^\d+(\.\d+)?[a-zµ]/.test(text) ? nowMs - parseDurationMs(text) : parseTimeMs(text))
  } catch (cause) {
    throw new UsageError(`'${text}' is neither a time nor an age`, {
      cause,
      hint: "write '2027-01-31' or '7d'"
    })
  }
}

/** Unknown names are left out, as the existing CLI does, but not in silence. */
function readStatuses(names: readonly string[], { terminal }: Pick<Cli, 'terminal'>): string[] {
  return names.flatMap(name => {
    const known = STATUSES.find(status => status.toLowerCase() === name.toLowerCase())
    if (known === undefined)
      terminal.err(`warning: there is no status '${name}'; statuses are ${STATUSES.join(', ')}\n`)
    return known ?? []
  })
}
