import { type CapabilityFile, lookUpIssuers } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import type { Cli, Handler } from '../../cli/command.ts'
import { EXIT, UsageError } from '../../cli/errors.ts'
import { printPlain } from '../../cli/go-print.ts'
import { oneLine } from '../../cli/printable.ts'
import { loadContextFile } from '../../session/context-file.ts'
import { parseDestination } from '../../session/destination.ts'
import { keyLookup } from '../../session/did-keys.ts'
import { loadSettings } from '../../session/settings.ts'
import type { SignerRequest } from '../../session/signer.ts'
import { type KnownContext, namesOf, readContexts, tokensOf } from '../contexts.ts'
import { readFormat } from '../format.ts'
import { askAnchors } from './ask.ts'
import { explain } from './explain.ts'
import type { WHY_FLAGS } from './flags.ts'
import { printExplanation } from './print.ts'
import { reportOf } from './report.ts'
import type { Explanation, Question } from './types.ts'

const EXIT_OF: Readonly<Record<Explanation['verdict'], number>> = {
  allowed: EXIT.ok,
  refused: EXIT.refused,
  unknown: EXIT.partly
}

/** `nunet cap why`. */
export const capWhyHandler: Handler<typeof WHY_FLAGS> = {
  async run({ cli, flags, given, args, globals }) {
    const output = readFormat(flags.output)
    const behavior = readName(args[0] ?? '', 'behaviour')
    const topic = flags.topic === undefined ? undefined : readName(flags.topic, 'topic')
    const lifeMs = flags.for
    if (lifeMs < 0) throw new UsageError('--for must not be negative')
    const request = { config: loadSettings(cli, globals), globals, name: flags.context }
    const sender = await loadContextFile(cli, request)
    const contexts = await readContexts(cli, request.config)
    const receiver = await findReceiver(cli, request, flags, contexts)
    if (topic !== undefined && !given.has('dest') && receiver.did === sender.did) {
      throw new UsageError('a broadcast reaches everybody; say on whose node it is to count', {
        hint: 'add --dest with a DID, a peer id or the name of a context'
      })
    }
    for (const { did, setAside } of [sender, ...(receiver.file === undefined ? [] : [receiver.file])])
      warnOfUnread(cli, setAside.length, contexts.find(context => context.did === did)?.name ?? did)
    const nowNs = cli.clock.nowNs()
    const question: Question = {
      sender: sender.did,
      receiver: receiver.did,
      behavior,
      topic,
      nowNs,
      expiresAtNs: nowNs + BigInt(Math.round(lifeMs * 1e6))
    }
    const lookup = keyLookup(cli, request.config)
    const tokens = [sender, receiver.file].flatMap(file => (file === undefined ? [] : tokensOf(file)))
    await lookUpIssuers(tokens, lookup, { signal: cli.signal })
    const here = new Map(contexts.map(({ did, file }) => [did, file]))
    const sides = { sender, receiver: receiver.file, here }
    const answer = await explain(question, sides, { nowNs, random: cli.random, keyOf: lookup.keyOf })
    const names = namesOf(contexts)
    cli.terminal.out(
      output === 'json'
        ? `${printPlain(reportOf(answer, names))}\n`
        : printExplanation(answer, names, cli.terminal)
    )
    return EXIT_OF[answer.verdict]
  }
}

/**
 * The receiver's DID, and its anchors when it is asked for them or one of the contexts here is its own. A sealed one is
 * opened with its key.
 */
async function findReceiver(
  cli: Cli,
  request: SignerRequest,
  { dest, ask }: { readonly dest: string; readonly ask: string | undefined },
  contexts: readonly KnownContext[]
): Promise<{ did: Did; file: CapabilityFile | undefined }> {
  const named = contexts.find(({ name }) => name === dest)
  const did = named?.did ?? destinationDid(dest)
  if (ask !== undefined) return { did, file: await askAnchors(cli, { ...request, name: ask }, did) }
  const own = named ?? contexts.find(context => context.did === did)
  if (own === undefined) return { did, file: undefined }
  return { did, file: own.file ?? (await loadContextFile(cli, { ...request, name: own.name })) }
}

/** What cannot be read may be the very token that is missed. */
function warnOfUnread(cli: Cli, count: number, name: string): void {
  if (count === 0) return
  const shown = oneLine(name)
  cli.terminal.err(
    `warning: entries of context '${shown}' that cannot be read: ${count}; 'nunet cap lint -c ${shown}' says why\n`
  )
}

function destinationDid(text: string): Did {
  if (/^\w[\w.-]{0,31}$/.test(text)) {
    throw new UsageError(`there is no capability context '${text}' here`, {
      hint: "give --dest a DID, a peer id, or the name of a context made by 'nunet cap new'"
    })
  }
  const { did } = parseDestination(text)
  if (did !== '') return did
  throw new UsageError('the destination names nobody', { hint: 'give --dest a DID or a peer id' })
}

/** Names that can be granted (§5.1): for others there would be nothing to advise. */
function readName(text: string, what: string): string {
  const segments = text.slice(1).split('/')
  const isPath = text.startsWith('/') && text.normalize('NFC') === text
  if (isPath && (text === '/' || !segments.some(segment => ['', '.', '..'].includes(segment)))) return text
  throw new UsageError(`'${text}' is not the name of a ${what}`, {
    hint: "write an absolute path such as '/dms/deployment'"
  })
}
