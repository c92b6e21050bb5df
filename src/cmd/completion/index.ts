import { command } from '../cli/command.ts'
import { completeHandler, completionHandler } from './handler.ts'

export const completion = command({
  name: 'completion',
  summary: 'print a completion script for bash or zsh',
  words: ['<shell>'],
  hidden: true,
  flags: {},
  examples: ['source <(nunet completion bash)', 'nunet completion zsh > ~/.zsh/completions/_nunet'],
  exitCodes: 'compatible',
  handler: completionHandler
})

export const complete = command({
  name: '__complete',
  summary: 'print what may follow some words',
  words: ['[word]…'],
  hidden: true,
  flags: {},
  examples: ['nunet __complete -- actor cmd /pub'],
  exitCodes: 'compatible',
  handler: completeHandler
})
