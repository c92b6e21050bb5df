import { resolve } from 'node:path'
import { lookUpIssuers } from '../../../lib/ucan/index.ts'
import { utf8ToBytes } from '../../../utils/index.ts'
import type { Cli, Handler } from '../../cli/command.ts'
import { UsageError } from '../../cli/errors.ts'
import { printPlain } from '../../cli/go-print.ts'
import { oneLine } from '../../cli/printable.ts'
import { loadContextFile } from '../../session/context-file.ts'
import { keyLookup } from '../../session/did-keys.ts'
import { loadSettings } from '../../session/settings.ts'
import { contextNameOf } from '../../session/wallet-name.ts'
import { type KnownContext, namesOf, readContexts, tokensOf } from '../contexts.ts'
import { buildGraph, type ShownContext } from './build.ts'
import type { GRAPH_FLAGS } from './flags.ts'
import { graphReport } from './report.ts'
import { drawGraph } from './svg.ts'
import { printGraph } from './text.ts'

const FORMATS = ['text', 'svg', 'json'] as const

/** The picture shows who trusts whom: as private as the contexts it comes from. */
const FILE_MODE = 0o600

/** `nunet cap graph`. */
export const capGraphHandler: Handler<typeof GRAPH_FLAGS> = {
  async run({ cli, flags, globals }) {
    const format = readFormat(flags.output, flags.file)
    const config = loadSettings(cli, globals)
    const known = await readContexts(cli, config)
    const open = async (name: string): Promise<ShownContext> => ({
      name: contextNameOf(name),
      file: await loadContextFile(cli, { config, globals, name })
    })
    const shown =
      flags.context.length === 0 ? withoutSealed(cli, known) : await inTurn([...new Set(flags.context)], open)
    const lookup = keyLookup(cli, config)
    const tokens = shown.flatMap(({ file }) => tokensOf(file))
    await lookUpIssuers(tokens, lookup, { signal: cli.signal })
    const { graph, unverified } = buildGraph(shown, {
      nowNs: cli.clock.nowNs(),
      random: cli.random,
      keyOf: lookup.keyOf,
      names: namesOf(known)
    })
    for (const [name, count] of unverified)
      cli.terminal.err(
        `warning: tokens of context '${oneLine(name)}' that do not verify are not shown: ${count}\n`
      )
    const text =
      format === 'svg'
        ? drawGraph(graph)
        : format === 'json'
          ? `${printPlain(graphReport(graph))}\n`
          : printGraph(graph, colours(cli, flags.file === undefined))
    if (flags.file === undefined) cli.terminal.out(text)
    else {
      const path = resolve(cli.directory, flags.file)
      await cli.files.writeAtomic(path, utf8ToBytes(text), { mode: FILE_MODE })
      cli.terminal.err(`wrote ${oneLine(path)}\n`)
    }
    return 0
  }
}

/** Nobody is asked for a passphrase for a picture of everything: a sealed context is shown when it is named. */
function withoutSealed(cli: Cli, known: readonly KnownContext[]): ShownContext[] {
  return known.flatMap(({ name, file }) => {
    if (file !== undefined) return [{ name, file }]
    cli.terminal.err(`warning: context '${oneLine(name)}' is sealed and not shown; name it with --context\n`)
    return []
  })
}

/** Colours are for a terminal, not for a file. */
function colours({ terminal }: Cli, isToTerminal: boolean): Parameters<typeof printGraph>[1] {
  const { outIsTerminal, errIsTerminal } = terminal
  return { colours: terminal.colours && isToTerminal, outIsTerminal, errIsTerminal }
}

/** One after the other: two prompts at once would be one too many. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await work(item))
  return results
}

function readFormat(output: string | undefined, file: string | undefined): (typeof FORMATS)[number] {
  const wanted = output ?? FORMATS.find(format => file?.endsWith(`.${format}`)) ?? 'text'
  const format = FORMATS.find(known => known === wanted)
  if (format !== undefined) return format
  throw new UsageError(`unknown output format '${wanted}'`, { hint: "choose 'text', 'svg' or 'json'" })
}
