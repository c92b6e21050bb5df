import type { Anchors, Token } from '../../lib/ucan/index.ts'
import { bytesToHex } from '../../utils/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { changeAnchors } from './change.ts'
import type { REMOVE_FLAGS } from './flags.ts'
import { readDid, takeTokens } from './tokens.ts'

/** `nunet cap remove`: silent on success. */
export const capRemoveHandler: Handler<typeof REMOVE_FLAGS> = {
  async run({ cli, flags, globals }) {
    const remove = await removal(cli, flags)
    const options = { forgetSetAside: flags.aside }
    await changeAnchors(
      cli,
      globals,
      flags.context,
      anchors => {
        if (remove(anchors)) return
        throw new CommandError(`capability context '${flags.context}' has no such anchor`, {
          hint: `'nunet cap list -c ${flags.context}' lists them`
        })
      },
      options
    )
    return 0
  }
}

type RemoveValues = { readonly [Name in 'root' | 'require' | 'provide']: string | undefined }

async function removal(
  cli: Cli,
  { root, require, provide }: RemoveValues
): Promise<(anchors: Anchors) => boolean> {
  if (root !== undefined) {
    const did = readDid(root)
    return anchors => anchors.removeRoot(did)
  }
  const wanted = require ?? provide
  if (wanted === undefined) return () => true
  const select = await selection(cli, wanted)
  return anchors => {
    const tokens = select(require === undefined ? anchors.provide : anchors.require)
    const remove = (token: Token): boolean =>
      require === undefined ? anchors.removeProvide(token) : anchors.removeRequire(token)
    // All are tried: `every` would stop at the first that is missing.
    return tokens.length > 0 && tokens.map(remove).every(Boolean)
  }
}

/** Ids are nonces in hexadecimal digits; a token of 12 random bytes has one of its own. */
const ID = /^(?:[0-9a-f]{2}){1,64}$/

async function selection(cli: Cli, text: string): Promise<(anchors: readonly Token[]) => readonly Token[]> {
  if (!ID.test(text)) {
    const tokens = await takeTokens(cli, text)
    return () => tokens
  }
  return anchors => {
    const found = anchors.filter(({ nonce }) => nonce !== null && bytesToHex(nonce) === text)
    if (found.length < 2) return found
    throw new CommandError(`${found.length} anchors have the id '${text}'`, {
      hint: 'give the whole token as JSON'
    })
  }
}
