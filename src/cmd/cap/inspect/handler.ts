import { type KeyLookup, lookUpIssuers, VerifiedChains } from '../../../lib/ucan/index.ts'
import type { Cli, Handler } from '../../cli/command.ts'
import { EXIT } from '../../cli/errors.ts'
import { printPlain } from '../../cli/go-print.ts'
import { loadContextFile } from '../../session/context-file.ts'
import { keyLookup, openContext } from '../../session/did-keys.ts'
import { loadSettings } from '../../session/settings.ts'
import type { SignerRequest } from '../../session/signer.ts'
import { namesOf, readContexts } from '../contexts.ts'
import { readFormat } from '../format.ts'
import { readTokenText } from '../tokens.ts'
import type { INSPECT_FLAGS } from './flags.ts'
import { judge, type Observer } from './judge.ts'
import { parseTokens } from './parse.ts'
import { printJudged } from './print.ts'
import { reportOf } from './report.ts'

/** `nunet cap inspect`. */
export const capInspectHandler: Handler<typeof INSPECT_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const output = readFormat(flags.output)
    const config = loadSettings(cli, globals)
    const [source = ''] = args
    const tokens = parseTokens(await readTokenText(cli, source))
    const lookup = keyLookup(cli, config)
    await lookUpIssuers(tokens, lookup, { signal: cli.signal })
    const observer =
      flags.context === undefined
        ? undefined
        : await observe(cli, { config, globals, name: flags.context }, lookup)
    const nowNs = cli.clock.nowNs()
    const verified = new VerifiedChains()
    const judged = tokens.map(token => judge(token, { nowNs, keyOf: lookup.keyOf, observer }, verified))
    const names = namesOf(await readContexts(cli, config))
    cli.terminal.out(
      output === 'json'
        ? `${printPlain(reportOf(judged, names))}\n`
        : printJudged(judged, { terminal: cli.terminal, names, nowNs })
    )
    return judged.every(({ verdict }) => verdict.ok) ? EXIT.ok : EXIT.failed
  }
}

async function observe(cli: Cli, request: SignerRequest, lookup: KeyLookup): Promise<Observer> {
  const file = await loadContextFile(cli, request)
  const { context } = await openContext(cli, lookup, { owner: file.did }, file)
  return { name: request.name, file, context }
}
