import { type Handler, isGroup } from '../cli/command.ts'
import { UsageError } from '../cli/errors.ts'
import type { FlagTable } from '../cli/flags.ts'
import { locate } from '../cli/locate.ts'
import { COMPLETION_SCRIPTS } from './scripts.ts'

/** `nunet completion`. */
export const completionHandler: Handler<FlagTable> = {
  async run({ cli, args }) {
    const script = COMPLETION_SCRIPTS[args[0] ?? '']
    if (script === undefined)
      throw new UsageError(`no completion for shell '${args[0]}'`, { hint: "choose 'bash' or 'zsh'" })
    cli.terminal.out(script)
    return 0
  }
}

/** The last word is the one being typed; the others say where it stands. */
export const completeHandler: Handler<FlagTable> = {
  async run({ cli, args, root }) {
    const typed = args.at(-1) ?? ''
    const { node, inherited } = await locate(root, args.slice(0, -1))
    const flags = { ...inherited, ...(isGroup(node) ? {} : node.flags) }
    const candidates = typed.startsWith('-')
      ? Object.entries(flags).flatMap(([name, spec]) => (spec.hidden ? [] : [`--${name}`]))
      : isGroup(node)
        ? node.children.flatMap(child => (child.hidden ? [] : [child.name]))
        : []
    cli.terminal.out(
      candidates
        .filter(word => word.startsWith(typed))
        .map(word => `${word}\n`)
        .join('')
    )
    return 0
  }
}
