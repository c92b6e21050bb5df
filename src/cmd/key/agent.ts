import type { Config } from '../../config/index.ts'
import type { KeyAgentStatus } from '../../key-agent/index.ts'
import { errorCode, formatDuration, isoTime } from '../../utils/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { UsageError } from '../cli/errors.ts'
import { formatTable } from '../cli/table.ts'
import { readOutput } from '../deployments/connect.ts'
import { loadSettings } from '../session/settings.ts'
import { findAgent, requireAgent } from './agent-client.ts'
import type { KEY_AGENT_FLAGS } from './agent-flags.ts'
import { launchAgent, serveAgent } from './agent-run.ts'

/** Shorter than this the agent would be gone before it is used. Milliseconds. */
const MIN_TIME_MS = 1000
/** Longer than this is no time-out. Milliseconds. */
const MAX_TIME_MS = 30 * 86_400_000

/** `nunet key agent`. */
export const keyAgentHandler: Handler<typeof KEY_AGENT_FLAGS> = {
  async run({ cli, flags, globals }) {
    const output = readOutput(flags.output)
    const config = loadSettings(cli, globals)
    if (flags.status) return await showStatus(cli, config, output)
    if (flags.stop) return await stopAgent(cli, config)
    checkTime('idle', flags.idle)
    checkTime('lifetime', flags.lifetime)
    const times = { idleMs: flags.idle, lifetimeMs: flags.lifetime }
    const request = { config, globals, times, session: flags.session }
    await (flags.foreground ? serveAgent(cli, request) : launchAgent(cli, request))
    return 0
  }
}

function checkTime(name: string, ms: number): void {
  if (ms >= MIN_TIME_MS && ms <= MAX_TIME_MS) return
  throw new UsageError(`invalid time for --${name}: it must be between 1s and 30d`)
}

async function showStatus(cli: Cli, config: Config, output: 'table' | 'json'): Promise<number> {
  const status = await readStatus(cli, config)
  if (output === 'json') cli.terminal.out(`${toJson(status)}\n`)
  else if (status === undefined) cli.terminal.out('no key agent runs\n')
  else cli.terminal.out(toText(status, cli.clock.nowMs()))
  return status === undefined ? 1 : 0
}

async function readStatus(cli: Cli, config: Config): Promise<KeyAgentStatus | undefined> {
  using client = findAgent(cli, config)
  try {
    return await client?.status({ signal: cli.signal })
  } catch (error) {
    if (errorCode(error) === 'KEY_AGENT_ABSENT') return undefined
    throw error
  }
}

function toText({ pid, endsAtMs, idleMs, keys }: KeyAgentStatus, nowMs: number): string {
  const left = (untilMs: number): string => formatDuration(Math.max(0, untilMs - nowMs))
  const head = `key agent: process ${pid}, ends in ${left(endsAtMs)} at the latest, keys are dropped after ${formatDuration(idleMs)} without use\n`
  if (keys.length === 0) return `${head}no key is unlocked\n`
  const rows = keys.map(key => [key.name, left(key.idleUntilMs), left(key.endsAtMs), key.did])
  return head + formatTable(['KEY', 'UNUSED, LOCKED IN', 'LOCKED IN', 'DID'], rows)
}

function toJson(status: KeyAgentStatus | undefined): string {
  if (status === undefined) return JSON.stringify({ running: false })
  const { pid, idleMs, endsAtMs, keys } = status
  return JSON.stringify({
    running: true,
    pid,
    idle_ms: idleMs,
    ends_at: isoTime(endsAtMs),
    keys: keys.map(key => ({
      name: key.name,
      did: key.did,
      unlocked_at: isoTime(key.unlockedAtMs),
      idle_until: isoTime(key.idleUntilMs),
      ends_at: isoTime(key.endsAtMs)
    }))
  })
}

async function stopAgent(cli: Cli, config: Config): Promise<number> {
  using client = requireAgent(cli, config)
  await client.stop({ signal: cli.signal })
  cli.terminal.err('the key agent has ended; all keys are locked\n')
  return 0
}
