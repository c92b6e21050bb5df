/** `poll_oneoff`: waits for clocks and streams. The way a module sleeps. */

import { CLOCK_REALTIME, ERRNO, EVENT_CLOCK, EVENT_FD_READ, EVENT_FD_WRITE, LAST_CLOCK } from './constants.ts'
import type { GuestMemory } from './guest-memory.ts'
import type { WasiHost } from './host.ts'
import type { Streams } from './streams.ts'

/** Sizes of `subscription` and `event` (witx). */
const SUBSCRIPTION_BYTES = 48
const EVENT_BYTES = 32
/** More subscriptions than a module with three streams can have use for. */
const MAX_SUBSCRIPTIONS = 1024

/** `subclockflags`: the time is a point, not a span. */
const ABSOLUTE_TIME = 1

interface Subscription {
  readonly userdata: bigint
  readonly kind: number
  /** When it is due, on the monotonic clock; streams are due at once. */
  readonly dueNs: bigint
  readonly errno: number
  readonly bytes: number
}

export function pollOneoff(
  { memory, streams, host }: { memory: GuestMemory; streams: Streams; host: WasiHost },
  [input, output, count, eventsAt]: readonly [number, number, number, number]
): number {
  const size = count >>> 0
  if (size === 0 || size > MAX_SUBSCRIPTIONS) return ERRNO.inval
  const nowNs = host.monotonicNs()
  const subscriptions: Subscription[] = []
  for (let index = 0; index < size; index++) {
    const subscription = readSubscription(
      memory,
      streams,
      host,
      (input >>> 0) + index * SUBSCRIPTION_BYTES,
      nowNs
    )
    if (subscription === undefined) return ERRNO.inval
    subscriptions.push(subscription)
  }
  const firstNs = earliest(subscriptions, nowNs)
  if (firstNs > nowNs) host.sleepNs(firstNs - nowNs)
  const due = subscriptions.filter(({ dueNs }) => dueNs <= firstNs || dueNs <= host.monotonicNs())
  for (const [index, subscription] of due.entries()) {
    writeEvent(memory, (output >>> 0) + index * EVENT_BYTES, subscription)
  }
  memory.setU32(eventsAt, due.length)
  return ERRNO.success
}

/** When the first of them is due, at the earliest now. */
function earliest(subscriptions: readonly Subscription[], nowNs: bigint): bigint {
  let first: bigint | undefined
  for (const { dueNs } of subscriptions) if (first === undefined || dueNs < first) first = dueNs
  return first === undefined || first < nowNs ? nowNs : first
}

function readSubscription(
  memory: GuestMemory,
  streams: Streams,
  host: WasiHost,
  at: number,
  nowNs: bigint
): Subscription | undefined {
  const userdata = memory.u64(at)
  const kind = memory.u8(at + 8)
  if (kind === EVENT_FD_READ || kind === EVENT_FD_WRITE) {
    const fd = memory.u32(at + 16)
    const errno = streams.isOpen(fd) && (fd === 0) === (kind === EVENT_FD_READ) ? ERRNO.success : ERRNO.badf
    return { userdata, kind, dueNs: nowNs, errno, bytes: kind === EVENT_FD_READ ? streams.inputLeft : 0 }
  }
  if (kind !== EVENT_CLOCK) return undefined
  const clockId = memory.u32(at + 16)
  if (clockId > LAST_CLOCK) return { userdata, kind, dueNs: nowNs, errno: ERRNO.inval, bytes: 0 }
  const timeoutNs = memory.u64(at + 24)
  const isAbsolute = (memory.u16(at + 40) & ABSOLUTE_TIME) !== 0
  const clockNs = clockId === CLOCK_REALTIME ? host.realtimeNs() : nowNs
  return {
    userdata,
    kind,
    dueNs: nowNs + timeoutNs - (isAbsolute ? clockNs : 0n),
    errno: ERRNO.success,
    bytes: 0
  }
}

/** `event`: userdata at 0, error at 8, kind at 10, readable bytes at 16, flags at 24. */
function writeEvent(memory: GuestMemory, at: number, { userdata, errno, kind, bytes }: Subscription): void {
  memory.bytes(at, EVENT_BYTES).fill(0)
  memory.setU64(at, userdata)
  memory.setU16(at + 8, errno)
  memory.setU8(at + 10, kind)
  memory.setU64(at + 16, BigInt(bytes))
}
