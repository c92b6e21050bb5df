import type { Anchors } from '../../lib/ucan/index.ts'
import type { Result } from '../../types/index.ts'
import type { Handler } from '../cli/command.ts'
import { RefusedError } from '../cli/errors.ts'
import { changeAnchors } from './change.ts'
import type { ANCHOR_FLAGS } from './flags.ts'
import { readDid, readTokens } from './tokens.ts'

/** `nunet cap anchor`. */
export const capAnchorHandler: Handler<typeof ANCHOR_FLAGS> = {
  async run({ cli, flags, globals }) {
    const add = addition(flags)
    await changeAnchors(cli, globals, flags.context, anchors => {
      const added = add(anchors)
      if (!added.ok) throw new RefusedError('the token was not accepted; nothing was changed', added.error)
    })
    const kind = ['root', 'require', 'provide'].find(name => flags[name as 'root'] !== undefined) ?? 'revoke' // names of flags
    cli.terminal.out(`Added ${kind} anchor to capability context '${flags.context}'\n`)
    return 0
  }
}

type AnchorValues = { readonly [Name in 'root' | 'require' | 'provide' | 'revoke']: string | undefined }

/** What to add, parsed before the file is touched. */
function addition({ root, require, provide, revoke }: AnchorValues): (anchors: Anchors) => Result<void> {
  if (root !== undefined) {
    const did = readDid(root)
    return anchors => {
      anchors.addRoot(did)
      return { ok: true, value: undefined }
    }
  }
  const tokens = readTokens(require ?? provide ?? revoke ?? '')
  if (require !== undefined) return anchors => anchors.addRequire(tokens)
  return provide === undefined ? anchors => anchors.addRevoke(tokens) : anchors => anchors.addProvide(tokens)
}
