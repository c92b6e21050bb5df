import type { FlagTable } from '../../cli/flags.ts'

/** `nunet cap graph`. */
export const GRAPH_FLAGS = {
  context: { kind: 'strings', short: 'c', description: 'capability context to show; repeatable' },
  all: { kind: 'bool', description: 'all contexts of this machine (also without --context)' },
  output: {
    kind: 'string',
    short: 'o',
    description: "'text', 'svg' or 'json'; by the ending of --file unless given, else 'text'"
  },
  file: { kind: 'string', description: 'write to this file instead of standard output' }
} as const satisfies FlagTable
