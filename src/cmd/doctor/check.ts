import type { Config } from '../../config/index.ts'
import type { Cli } from '../cli/command.ts'

/** `warn`: works, but not all or not for long; `fail`: a node cannot run; `skip`: could not be looked at. */
export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skip'

/** Outcome of one check. */
export interface Finding {
  readonly name: string
  readonly status: CheckStatus
  /** What was found, one line. */
  readonly detail: string
  /** How to mend it; empty when there is nothing to mend. */
  readonly fix: string
}

/** What checks look at. */
export interface Patient {
  readonly cli: Cli
  readonly globals: ReadonlyMap<string, unknown>
  readonly config: Config
  readonly nodeContext: string
  readonly userContext: string
}

export type Check = (patient: Patient) => Promise<Finding | Finding[]>

export function finding(name: string, status: CheckStatus, detail: string, fix = ''): Finding {
  return { name, status, detail, fix: status === 'ok' ? '' : fix }
}
