import { command } from '../../cli/command.ts'
import { INSPECT_FLAGS } from './flags.ts'
import { capInspectHandler } from './handler.ts'

/** `nunet cap inspect`. */
export const inspect = command({
  name: 'inspect',
  summary: 'show what tokens say: who gives what to whom, until when, valid or why not',
  description:
    'Takes a token, a token list, or several of them a line each, as text, in a file, or on standard input (-). Each link of a chain is shown with its own verdict. Names of contexts on this machine stand beside their DIDs. Needs no passphrase, unless the context of -c is sealed.\n\nWithout -c nothing is known of revocations. Exit code 1 when a token is not valid or cannot be read.',
  words: ['<token|file|->'],
  flags: INSPECT_FLAGS,
  examples: [
    'nunet cap inspect token.json',
    'nunet cap grant -c org --cap /public --duration 24h did:key:… | nunet cap inspect -',
    'nunet cap inspect -c dms --output json "$(cat token.json)"'
  ],
  exitCodes: 'compatible',
  handler: capInspectHandler
})
