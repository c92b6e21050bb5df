import type { Anchors, Token } from '../../lib/ucan/index.ts'
import type { Result } from '../../types/index.ts'
import { ok } from '../../utils/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { RefusedError } from '../cli/errors.ts'
import { changeAnchors } from './change.ts'
import type { ANCHOR_FLAGS } from './flags.ts'
import { readDid, takeTokens } from './tokens.ts'

/** `nunet cap anchor`. */
export const capAnchorHandler: Handler<typeof ANCHOR_FLAGS> = {
  async run({ cli, flags, globals }) {
    const { tokens, add } = await addition(cli, flags)
    const change = (anchors: Anchors): void => {
      const added = add(anchors)
      if (!added.ok) throw new RefusedError('the token was not accepted; nothing was changed', added.error)
    }
    await changeAnchors(cli, globals, flags.context, change, { tokens })
    const kind = ['root', 'require', 'provide'].find(name => flags[name as 'root'] !== undefined) ?? 'revoke' // names of flags
    cli.terminal.out(`Added ${kind} anchor to capability context '${flags.context}'\n`)
    return 0
  }
}

type AnchorValues = { readonly [Name in 'root' | 'require' | 'provide' | 'revoke']: string | undefined }

interface Addition {
  readonly tokens: readonly Token[]
  readonly add: (anchors: Anchors) => Result<void>
}

/** What to add, parsed before the file is touched. */
async function addition(cli: Cli, { root, require, provide, revoke }: AnchorValues): Promise<Addition> {
  if (root !== undefined) {
    const did = readDid(root)
    const add = (anchors: Anchors): Result<void> => {
      anchors.addRoot(did)
      return ok(undefined)
    }
    return { tokens: [], add }
  }
  const tokens = await takeTokens(cli, require ?? provide ?? revoke ?? '')
  if (require !== undefined) return { tokens, add: anchors => anchors.addRequire(tokens) }
  if (provide !== undefined) return { tokens, add: anchors => anchors.addProvide(tokens) }
  return { tokens, add: anchors => anchors.addRevoke(tokens) }
}
