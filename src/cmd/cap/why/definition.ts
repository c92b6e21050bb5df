import { command } from '../../cli/command.ts'
import { WHY_FLAGS } from './flags.ts'
import { capWhyHandler } from './handler.ts'

/** `nunet cap why`. */
export const why = command({
  name: 'why',
  summary: 'may this context do that, by which chain, and if not: what would mend it',
  description:
    'Shows whether the identity of a context may invoke a behaviour of a receiver, or broadcast it in a topic: the chain of delegations that allows it, link by link, and the anchor by which the receiver takes it; or the nearest chain, what is wrong with it, and the commands that would mend it with who has to run them. No passphrase is needed unless a context is sealed, and nothing is sent without --ask.\n\nA receiver whose context is on this machine is judged by the anchors in its file; grants that a running node made itself are not in it. Of any other receiver only whom it would have to trust can be said. With --ask the receiver lists its anchors of this moment (/dms/cap/list, which changes nothing) to a context that may see them. Exit code 0 is yes, 3 is no, 5 cannot be told from here.',
  words: ['<behaviour>'],
  flags: WHY_FLAGS,
  examples: [
    'nunet cap why /dms/node/onboarding/status',
    'nunet cap why /dms/deployment/request -c dms --topic /nunet/deployment --dest did:key:…',
    'nunet cap why /dms/node/onboarding/status -c guest --ask user',
    'nunet cap why /public/hello --dest 12D3KooW… --for 30d --output json'
  ],
  exitCodes: 'human',
  handler: capWhyHandler
})
