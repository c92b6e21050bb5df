import type { Cli, Handler } from '../cli/command.ts'
import { CommandError, UsageError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { deploymentEvents } from '../deploy/follow.ts'
import { connectNode, type NodeClient } from '../deployments/connect.ts'
import { findDeployment } from '../deployments/find.ts'
import { type LogSource, readLog, tailOffset } from '../deployments/log-stream.ts'
import { createLogWriter } from '../deployments/log-writer.ts'
import { recordMember, textMember } from '../session/call.ts'
import type { LOGS_FLAGS } from './flags.ts'

type Stream = LogSource['stream']

/** `nunet logs`. */
export const logsHandler: Handler<typeof LOGS_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const streams = readStreams(flags.stream)
    const [prefix = '', wanted] = args
    using node = await connectNode(cli, globals, flags.context)
    const { id } = await findDeployment(node, prefix)
    if (flags.follow) await allocationsChosen(cli, node, id)
    const allocations = await chooseAllocations(node, id, wanted)
    const sources = allocations.flatMap(allocation =>
      streams.map(stream => ({ deployment: id, allocation, stream }))
    )
    await Promise.all(
      sources.map(source =>
        showLog(cli, node, source, { follow: flags.follow, tail: flags.tail, named: allocations.length > 1 })
      )
    )
    return 0
  }
}

/** Writes one log until it ends. */
export async function showLog(
  cli: Cli,
  node: NodeClient,
  source: LogSource,
  options: { readonly follow: boolean; readonly tail: number | undefined; readonly named: boolean }
): Promise<void> {
  const { signal, terminal } = cli
  const offset = options.tail === undefined ? 0 : await tailOffset(node, source, options.tail, signal)
  const writer = createLogWriter(
    terminal,
    source.stream,
    options.named ? `${oneLine(source.allocation)} | ` : ''
  )
  for await (const data of readLog({ node, clock: cli.clock }, source, {
    offset,
    follow: options.follow,
    signal
  }))
    writer.write(data)
  writer.end()
}

/** A follower who came early waits until there is something to follow, or the deployment is over. */
async function allocationsChosen(cli: Cli, node: NodeClient, id: string): Promise<void> {
  for await (const event of deploymentEvents({ node, clock: cli.clock }, id, cli.signal)) {
    const status = textMember(event.data, 'status')
    if (event.type === 'candidate' || status === 'Failed' || status === 'Completed') return
  }
}

/** Names of the allocations to show: all, or those that are called so with or without their node. */
async function chooseAllocations(
  node: NodeClient,
  id: string,
  wanted: string | undefined
): Promise<string[]> {
  const reply = await node.call('/dms/node/deployment/manifest', { ID: id })
  const names = Object.keys(recordMember(recordMember(reply, 'manifest'), 'allocations')).sort()
  if (names.length === 0)
    throw new CommandError(`deployment '${id.slice(0, 12)}' has no allocations yet`, {
      hint: 'wait until its providers are chosen'
    })
  if (wanted === undefined) return names
  const chosen = names.filter(name => name === wanted || name.endsWith(`.${wanted}`))
  if (chosen.length > 0) return chosen
  throw new CommandError(`deployment '${id.slice(0, 12)}' has no allocation '${wanted}'`, {
    hint: `it has ${names.join(', ')}`
  })
}

function readStreams(text: string): Stream[] {
  if (text === 'both') return ['stdout', 'stderr']
  if (text === 'stdout' || text === 'stderr') return [text]
  throw new UsageError(`unknown stream '${text}'`, { hint: "choose 'stdout', 'stderr' or 'both'" })
}
