import { command } from '../cli/command.ts'

export const version = command({
  name: 'version',
  summary: 'print the version',
  flags: {},
  examples: ['nunet version'],
  exitCodes: 'compatible',
  load: async () => (await import('./handler.ts')).versionHandler
})
