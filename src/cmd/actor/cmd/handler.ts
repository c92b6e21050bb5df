import { decodePayload } from '../../../actor/message/index.ts'
import type { Invocation } from '../../cli/command.ts'
import { CommandError } from '../../cli/errors.ts'
import { printGoJson, readGoJson } from '../../cli/go-print.ts'
import { isRecord } from '../../session/call.ts'
import { parseDestination } from '../../session/destination.ts'
import { defaultTimeoutMs, openSession, type Session } from '../../session/session.ts'
import { loadSettings } from '../../session/settings.ts'
import { expiryOf } from '../expiry.ts'
import type { MESSAGE_FLAGS } from '../flags.ts'
import { printReply } from '../print-reply.ts'
import type { BehaviorSpec, PayloadSource } from './types.ts'

/** Invokes or broadcasts a behaviour and prints what comes back. */
export async function runBehavior(
  row: BehaviorSpec,
  invocation: Invocation<typeof MESSAGE_FLAGS>
): Promise<number> {
  const { cli, flags, globals } = invocation
  const to = flags.dest === undefined ? undefined : parseDestination(flags.dest)
  const expiresIn = () => expiryOf(cli.clock, flags, row.timeoutMs ?? defaultTimeoutMs(flags.context))
  expiresIn() // a time that has passed is told before anything else is done
  const config = loadSettings(cli, globals)
  using sessions = new LazySession(() => openSession({ cli, config, globals, context: flags.context }))
  const ask = async (behavior: string): Promise<Record<string, unknown>> => {
    const session = await sessions.open()
    return readRecord(
      behavior,
      await session.invoke({ behavior, to, expiresAtNs: session.expiry(session.timeoutMs) })
    )
  }
  const payload = await makePayload(row, invocation, { cli, config, ask })
  const session = await sessions.open()
  const request = { behavior: row.path, payload, to, expiresAtNs: expiresIn() }
  if (row.topic === undefined) return printReply(cli.terminal, await session.invoke(request))
  const replies = await session.broadcast(request, row.topic)
  cli.terminal.out(`${printGoJson(replies.map(readGoJson))}\n`)
  return 0
}

async function makePayload(
  row: BehaviorSpec,
  { flags, given }: Invocation<typeof MESSAGE_FLAGS>,
  source: PayloadSource
): Promise<unknown> {
  if (row.prepare === undefined) return row.payload?.(flags, given)
  const maker = await row.prepare()
  return await maker.make(flags, source)
}

function readRecord(behavior: string, bytes: Uint8Array): Record<string, unknown> {
  const decoded = decodePayload(bytes)
  if (decoded.ok && isRecord(decoded.value)) return decoded.value
  throw new CommandError(`the node answered '${behavior}' with something that is no object`)
}

/** Opened when first needed: a mistake in a file is told before a passphrase is asked for. */
class LazySession implements Disposable {
  readonly #make: () => Promise<Session>
  #session: Session | undefined

  constructor(make: () => Promise<Session>) {
    this.#make = make
  }

  async open(): Promise<Session> {
    this.#session ??= await this.#make()
    return this.#session
  }

  [Symbol.dispose](): void {
    this.#session?.[Symbol.dispose]()
  }
}
