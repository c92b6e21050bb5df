import type { FlagTable } from '../../cli/flags.ts'

/** `nunet cap lint`. */
export const LINT_FLAGS = {
  context: { kind: 'string', short: 'c', description: 'capability context', default: 'user' },
  all: { kind: 'bool', description: 'every context of this machine' },
  warn: { kind: 'duration', description: 'warn of what ends within this time', default: '30d' },
  error: { kind: 'duration', description: 'an error when it ends within this time', default: '3d' },
  'max-life': { kind: 'duration', description: 'what is accepted for longer is too long', default: '400d' },
  output: { kind: 'string', short: 'o', description: "'text' or 'json'", default: 'text' }
} as const satisfies FlagTable
