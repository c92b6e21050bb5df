import type { Anchors } from '../../lib/ucan/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { changeAnchors } from './change.ts'
import type { REMOVE_FLAGS } from './flags.ts'
import { readDid, readTokens } from './tokens.ts'

/** `nunet cap remove`: silent on success. */
export const capRemoveHandler: Handler<typeof REMOVE_FLAGS> = {
  async run({ cli, flags, globals }) {
    const remove = removal(flags)
    await changeAnchors(cli, globals, flags.context, anchors => {
      if (remove(anchors)) return
      throw new CommandError(`capability context '${flags.context}' has no such anchor`, {
        hint: `'nunet cap list -c ${flags.context}' lists them`
      })
    })
    return 0
  }
}

function removal(
  flags: {
    readonly [Name in 'root' | 'require' | 'provide']: string | undefined
  }
): (anchors: Anchors) => boolean {
  const { root, require, provide } = flags
  if (root !== undefined) {
    const did = readDid(root)
    return anchors => anchors.removeRoot(did)
  }
  const tokens = readTokens(require ?? provide ?? '')
  // All are tried: `every` would stop at the first that is missing.
  return anchors =>
    tokens
      .map(token => (require === undefined ? anchors.removeProvide(token) : anchors.removeRequire(token)))
      .every(Boolean)
}
