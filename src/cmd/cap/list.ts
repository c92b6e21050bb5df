import { type CapabilityFile, formatToken, type SetAside, type Token } from '../../lib/ucan/index.ts'
import { bytesToHex } from '../../utils/index.ts'
import type { Handler } from '../cli/command.ts'
import { printGoJson } from '../cli/go-print.ts'
import { oneLine } from '../cli/printable.ts'
import { readOutput } from '../deployments/connect.ts'
import { loadContextFile } from '../session/context-file.ts'
import { loadSettings } from '../session/settings.ts'
import { exactToken } from './exact-token.ts'
import type { LIST_FLAGS } from './flags.ts'

/** `nunet cap list`: four headed blocks, an entry a line behind a tab (identity-and-actors §4.4), or JSON. */
export const capListHandler: Handler<typeof LIST_FLAGS> = {
  async run({ cli, flags, globals }) {
    const output = readOutput(flags.output)
    const file = await loadContextFile(cli, {
      config: loadSettings(cli, globals),
      globals,
      name: flags.context
    })
    const { terminal } = cli
    terminal.out(output === 'json' ? `${toJson(flags.context, file)}\n` : toBlocks(file))
    for (const entry of file.setAside)
      terminal.err(`warning: an entry of the file cannot be used: ${oneLine(entry.reason.message)}\n`)
    return 0
  }
}

function toBlocks(file: CapabilityFile): string {
  return [
    formatBlock('roots', file.roots),
    formatBlock('require', file.require.map(formatToken)),
    formatBlock('provide', file.provide.map(formatToken)),
    formatBlock('revoke', file.revoke.map(formatToken))
  ].join('')
}

function formatBlock(title: string, entries: readonly string[]): string {
  return `${title}:\n${entries.map(entry => `\t${entry}\n`).join('')}`
}

/** Tokens as they are, each digit kept; `id` is what `nunet cap remove` takes in place of the whole token. */
function toJson(context: string, file: CapabilityFile): string {
  const tokens = (list: readonly Token[]) =>
    list.map(
      token =>
        new Map([
          ['id', token.nonce === null ? null : bytesToHex(token.nonce)],
          ['token', exactToken(token)]
        ])
    )
  const aside = ({ list, text, reason }: SetAside) =>
    new Map([
      ['list', list],
      ['text', text],
      ['code', reason.code],
      ['reason', reason.message]
    ])
  return printGoJson(
    new Map<string, Parameters<typeof printGoJson>[0]>([
      ['context', context],
      ['did', file.did],
      ['roots', [...file.roots]],
      ['require', tokens(file.require)],
      ['provide', tokens(file.provide)],
      ['revoke', tokens(file.revoke)],
      ['aside', file.setAside.map(aside)]
    ])
  )
}
