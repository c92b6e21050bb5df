import { command } from '../cli/command.ts'
import { versionHandler } from './handler.ts'

export const version = command({
  name: 'version',
  summary: 'print the version',
  flags: {},
  examples: ['nunet version'],
  exitCodes: 'compatible',
  handler: versionHandler
})
