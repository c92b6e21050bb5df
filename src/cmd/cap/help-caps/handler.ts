import type { Handler } from '../../cli/command.ts'
import { printPlain } from '../../cli/go-print.ts'
import { formatTable } from '../../cli/table.ts'
import { CAPABILITIES, type Reach } from '../capability-table.ts'
import { readFormat } from '../format.ts'
import type { HELP_CAPS_FLAGS } from './flags.ts'

const MEANT_FOR: Readonly<Record<Reach, string>> = {
  member: 'members of your network',
  owner: 'the owner only',
  granted: 'granted by nodes'
}

/** `nunet cap help-caps`. */
export const helpCapsHandler: Handler<typeof HELP_CAPS_FLAGS> = {
  async run({ cli, flags }) {
    if (readFormat(flags.output) === 'json') {
      cli.terminal.out(`${printPlain(CAPABILITIES)}\n`)
      return 0
    }
    const rows = CAPABILITIES.map(({ name, reach, topic = '', allows }) => [
      name,
      MEANT_FOR[reach],
      topic,
      allows
    ])
    cli.terminal.out(formatTable(['CAPABILITY', 'FOR', 'TOPIC', 'ALLOWS TO'], rows))
    return 0
  }
}
