import type { FlagTable } from '../cli/flags.ts'

/** Flags of `nunet key` new. */
export const KEY_NEW_FLAGS = {
  force: { kind: 'bool', short: 'f', description: 'replace a key of that name without asking' }
} as const satisfies FlagTable
