/** `nunet deploy`. */

import type { Ensemble } from '../../dms/ensemble/index.ts'
import { renderRefusal } from '../../utils/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { CommandError, EXIT, InterruptedError, UsageError } from '../cli/errors.ts'
import { printPlain } from '../cli/go-print.ts'
import { printable } from '../cli/printable.ts'
import { connectNode, type NodeClient } from '../deployments/connect.ts'
import { askHealth, tellHealth } from '../deployments/node-health.ts'
import { textMember } from '../session/call.ts'
import type { DEPLOY_FLAGS } from './flags.ts'
import { deploymentEvents } from './follow.ts'
import { LogFollower, type LogOptions } from './logs.ts'
import { createProgress } from './progress.ts'
import { Story } from './story.ts'
import { isTasksOnly, judge, type Verdict } from './verdict.ts'

/** The node accepts a deployment at once; what takes long comes after. Milliseconds. */
const ACCEPT_TIMEOUT_MS = 30_000
/** Shorter times are refused by nodes (deployment §2.3). Milliseconds. */
const LEAST_TIME_MS = 60_000

interface Options {
  readonly tasksOnly: boolean
  readonly logs: LogOptions
  readonly json: boolean
}

export const deployHandler: Handler<typeof DEPLOY_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [file = ''] = args
    if (flags.timeout < LEAST_TIME_MS)
      throw new UsageError('--timeout must be at least 1m', {
        hint: 'deployments that are ready sooner do not wait'
      })
    const json = readFormat(flags.output) === 'json'
    const { readEnsemble } = await import('../ensemble/read.ts')
    const ensemble = await readEnsemble(cli, file)
    using node = await connectNode(cli, globals, flags.context)
    // What the node itself may do may end before the deployment does.
    const [id, health] = await Promise.all([create(node, ensemble, flags.timeout), askHealth(node)])
    tellHealth(cli, health)
    if (flags.detach) {
      cli.terminal.out(json ? `${printPlain({ id })}\n` : `${id}\n`)
      return EXIT.ok
    }
    cli.terminal.err(`deployment ${id}\n`)
    try {
      return await follow(cli, node, id, {
        tasksOnly: isTasksOnly(ensemble),
        logs: { wanted: flags.logs, named: Object.keys(ensemble.v1.allocations).length > 1 },
        json
      })
    } catch (error) {
      const hint = `it goes on; 'nunet ps' shows it, 'nunet stop ${id.slice(0, 12)}' ends it`
      if (cli.signal.reason instanceof InterruptedError)
        cli.terminal.err(`\nno longer watching deployment ${id.slice(0, 12)}: ${hint}\n`)
      throw error
    }
  }
}

function readFormat(text: string): 'text' | 'json' {
  if (text === 'text' || text === 'json') return text
  throw new UsageError(`unknown output format '${text}'`, { hint: "choose 'text' or 'json'" })
}

/** Hands the ensemble over; its id comes back. */
async function create(node: NodeClient, ensemble: Ensemble, timeMs: number): Promise<string> {
  const reply = await node.call(
    '/dms/node/deployment/new',
    { Ensemble: ensemble },
    { waitMs: ACCEPT_TIMEOUT_MS, lifeMs: timeMs }
  )
  const id = textMember(reply, 'EnsembleID')
  if (textMember(reply, 'Status') === 'OK' && id !== '') return id
  throw new CommandError(
    `the node did not take the deployment: ${textMember(reply, 'Error') || 'no reason given'}`
  )
}

/** Shows the deployment until there is a verdict. */
async function follow(cli: Cli, node: NodeClient, id: string, options: Options): Promise<number> {
  const { terminal } = cli
  const story = new Story()
  const progress = createProgress(terminal, story, !options.logs.wanted)
  await using logs = new LogFollower(cli, node, id, options.logs)
  for await (const event of deploymentEvents({ node, clock: cli.clock }, id, cli.signal)) {
    progress.update(event, story.apply(event))
    logs.follow(story.allocations.map(({ name }) => name))
    const verdict = judge(story, options.tasksOnly)
    if (verdict === undefined) continue
    progress.end()
    await logs.finish(options.tasksOnly)
    report(cli, id, story, verdict, options.json)
    return verdict.exitCode
  }
  return EXIT.failed
}

function report({ terminal }: Cli, id: string, story: Story, verdict: Verdict, json: boolean): void {
  if (json) {
    const allocations = story.allocations.map(({ name, status, peer, exitCode, reason }) => ({
      name,
      status,
      peer,
      exit_code: exitCode,
      reason: reason === '' ? undefined : reason
    }))
    terminal.out(`${printPlain({ id, status: story.status, allocations, error: story.error })}\n`)
  }
  if (verdict.exitCode === EXIT.ok) {
    terminal.err(`${verdict.text}\n`)
    return
  }
  terminal.warn(`Error: ${verdict.text}\n`)
  if (story.error !== undefined) terminal.warn(`${printable(renderRefusal(story.error))}\n`)
  if (story.allocations.length > 0)
    terminal.err(`hint: 'nunet logs ${id.slice(0, 12)}' shows what the workloads wrote\n`)
}
