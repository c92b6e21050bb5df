import { command } from '../../cli/command.ts'
import { GRAPH_FLAGS } from './flags.ts'
import { capGraphHandler } from './handler.ts'

/** `nunet cap graph`. */
export const graph = command({
  name: 'graph',
  summary: 'draw who can do what to whom',
  description:
    'Draws the parties and anchors of the contexts on this machine: who gave which capabilities to whom and until when, and whose delegations each context accepts; expired ones are dimmed, revoked ones struck through. As an indented tree, as an SVG picture, or as JSON. Needs no passphrase unless a sealed context is named.',
  flags: GRAPH_FLAGS,
  exclusive: [['context', 'all']],
  examples: ['nunet cap graph', 'nunet cap graph --file trust.svg', 'nunet cap graph -c dms --output json'],
  exitCodes: 'compatible',
  handler: capGraphHandler
})
