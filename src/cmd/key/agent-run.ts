/**
 * Starting the key agent: here, or as a process of its own in the background. That one has a session of its own, no terminal,
 * none of the secrets of the environment, and ends with the login session it was started from.
 */

import type { ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { type Config, loadConfig } from '../../config/index.ts'
import {
  findProcess,
  KeyAgent,
  type KeyAgentOptions,
  openSystemGuard,
  ownSession,
  type SessionLeader
} from '../../key-agent/index.ts'
import { createKeyStore } from '../../lib/crypto/index.ts'
import { bytesToUtf8, deadline, formatDuration, raceSignal } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError, InterruptedError, UsageError } from '../cli/errors.ts'
import { agentPlace } from '../session/agent-place.ts'
import { userPaths } from '../session/paths.ts'
import { configSources } from '../session/settings.ts'

/** Loading the program and binding a socket, on a machine that is busy. Milliseconds. */
const START_TIMEOUT_MS = 20_000
/** What is kept of the complaints of an agent that does not start, in UTF-16 units. */
const MAX_COMPLAINT = 4096

/** What was asked for. */
export interface AgentRequest {
  readonly config: Config
  readonly globals: ReadonlyMap<string, unknown>
  readonly times: Pick<KeyAgentOptions, 'idleMs' | 'lifetimeMs'>
  /** Process whose end ends the agent. Default: the leader of this login session. */
  readonly session: number | undefined
}

/** Runs the agent in this process until it ends; being told to stop is a success. */
export async function serveAgent(cli: Cli, { config, times, session }: AgentRequest): Promise<void> {
  const leader = await findLeader(cli, session)
  const guard = await openSystemGuard()
  const keyDirectory = userPaths(config).keys
  const keys = createKeyStore(cli, { directory: keyDirectory })
  const options = { ...agentPlace(cli, config), ...times, keyDirectory, leader }
  await using agent = new KeyAgent({ ...cli, keys, guard }, options)
  const hangUp = new AbortController()
  const onHangUp = (): void => hangUp.abort(new InterruptedError('SIGTERM'))
  // NOTE: without a listener SIGUSR1 opens Node's debugger to every program of this machine.
  const ignore = (): void => undefined
  process.once('SIGHUP', onHangUp).on('SIGUSR1', ignore)
  const signal = AbortSignal.any([cli.signal, hangUp.signal])
  try {
    await agent.start({ signal })
    cli.terminal.err(`key agent ready on ${agent.path}\n`)
    reportReady()
    await raceSignal(agent.ended, signal)
  } catch (error) {
    if (!(signal.aborted && error === signal.reason && error instanceof InterruptedError)) throw error
  } finally {
    process.off('SIGHUP', onHangUp)
    await agent.stop()
    process.off('SIGUSR1', ignore)
  }
}

/** Tells the command that started this process. */
function reportReady(): void {
  if (process.send === undefined) return
  process.send({ ready: true })
  process.disconnect?.()
}

/** Starts the agent in the background and says how long it lives. @throws CommandError with what it complained about */
export async function launchAgent(cli: Cli, request: AgentRequest): Promise<void> {
  const leader = await findLeader(cli, request.session)
  if (leader !== undefined && request.session === undefined) await refuseOwnSession(cli, leader)
  const guard = await openSystemGuard()
  guard.isolateDescriptors()
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, agentCommand(cli, request, leader), {
    detached: true,
    cwd: '/',
    env: agentEnvironment(cli),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc']
  })
  try {
    await readiness(cli, child)
  } catch (error) {
    child.kill()
    throw error
  } finally {
    if (child.connected) child.disconnect()
    child.stderr?.destroy()
    child.unref()
  }
  announce(cli, child, request, leader)
}

function announce(
  cli: Cli,
  { pid }: ChildProcess,
  { times, session }: AgentRequest,
  leader: SessionLeader | undefined
): void {
  const { idleMs, lifetimeMs } = times
  cli.terminal.err(
    [
      `the key agent runs (process ${pid}) for ${formatDuration(lifetimeMs)} at most; a key is dropped ${formatDuration(idleMs)} after its last use`,
      describeEnd(leader, session),
      'unlock a key: nunet key unlock <name>',
      'stop it:      nunet key agent --stop',
      ''
    ].join('\n')
  )
}

function describeEnd(leader: SessionLeader | undefined, session: number | undefined): string {
  if (leader === undefined) return 'no login session is seen here, so only time or --stop ends it'
  return `it ends with ${session === undefined ? 'this login session' : 'the process you named'} (process ${leader.pid})`
}

/** The process whose end ends the agent. @throws UsageError when the one that was named does not run. */
async function findLeader(cli: Cli, session: number | undefined): Promise<SessionLeader | undefined> {
  if (session === undefined) {
    const own = await ownSession(cli.files)
    return own === 0 ? undefined : await findProcess(cli.files, own)
  }
  const found = await findProcess(cli.files, session)
  if (found !== undefined) return found
  throw new UsageError(`there is no process ${session} for --session`)
}

/**
 * `ssh host nunet key agent` is itself the whole session, which is over before the agent could be used. The leader is then
 * this process, or the one that started it with the same words (an old Node that hands over to the right one).
 */
async function refuseOwnSession(cli: Cli, leader: SessionLeader): Promise<void> {
  const line = await cli.files.read(`/proc/${leader.pid}/cmdline`)
  const words = line === undefined ? '' : bytesToUtf8(line)
  const own = process.argv.slice(2).map(word => `\0${word}`)
  if (leader.pid !== process.pid && !words.endsWith(`${own.join('')}\0`)) return
  throw new CommandError('this command is the whole login session, and the agent would end with it at once', {
    hint: 'start it from a login shell, name a process to end with (--session <pid>), or use --foreground'
  })
}

function agentCommand(
  cli: Cli,
  { config, globals, times }: AgentRequest,
  leader: SessionLeader | undefined
): string[] {
  const { path } = loadConfig(configSources(cli, globals))
  return [
    '--disable-sigusr1', // would open Node's debugger
    resolve(process.argv[1] ?? ''),
    'key',
    'agent',
    '--foreground',
    ...['--idle', `${times.idleMs}ms`, '--lifetime', `${times.lifetimeMs}ms`],
    ...['--user-dir', resolve(cli.directory, config.general.user_dir)],
    ...(path === undefined ? [] : ['--config', resolve(cli.directory, path)]),
    ...(leader === undefined ? [] : ['--session', String(leader.pid)])
  ]
}

/** Without the passphrase, which would lie in the agent's memory for as long as it runs, and without what changes Node. */
function agentEnvironment(cli: Cli): Record<string, string> {
  return Object.fromEntries(
    Object.entries(cli.environment.variables).filter(([name]) => !name.startsWith('NODE_'))
  )
}

async function readiness(cli: Cli, child: ChildProcess): Promise<void> {
  using limit = deadline(cli.clock, START_TIMEOUT_MS, 'the start of the key agent', cli.signal)
  const ready = Promise.withResolvers<void>()
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(0, MAX_COMPLAINT)
  })
  child.once('message', () => ready.resolve())
  child.once('error', ready.reject)
  child.once('close', () => ready.reject(failure(complaint)))
  await raceSignal(ready.promise, limit.signal)
}

/** The error of the other process as one of this. */
function failure(complaint: string): CommandError {
  const message = /^Error: (.*)$/m.exec(complaint)?.[1] ?? 'the key agent ended at once'
  const hint = /^hint: (.*)$/m.exec(complaint)?.[1] ?? "run 'nunet key agent --foreground' to see why"
  return new CommandError(message, { hint })
}
