/**
 * WASI preview 1 (`wasi_snapshot_preview1.witx`) for a module that is trusted with nothing: arguments,
 * environment, clocks, randomness, sleep and three streams. There are no directories and no sockets, so every
 * call about them answers that the descriptor is not one. Written here because `node:wasi` is documented as no
 * sandbox, and the in-memory shims at hand busy-wait in `poll_oneoff` and take addresses on trust.
 */

import { errorCode } from '../../../utils/index.ts'
import { CLOCK_REALTIME, ERRNO, LAST_CLOCK, WASI_FUNCTIONS } from './constants.ts'
import { GuestFault, GuestMemory } from './guest-memory.ts'
import { ProcessEnd, type WasiHost } from './host.ts'
import { pollOneoff } from './poll.ts'
import { Streams } from './streams.ts'

/** Arguments of a call as the engine passes them: 32-bit numbers, and bigint for 64-bit ones. */
type Values = readonly (number | bigint)[]
type Call = (...values: Values) => number

/** Exit codes above this have no meaning for a process; cut to it, so that none becomes 0. */
const LARGEST_EXIT_CODE = 255
/** Randomness is made in pieces of this size. */
const RANDOM_PIECE = 65_536
/** Resolution of the clocks we have, in nanoseconds: a microsecond. */
const CLOCK_RESOLUTION_NS = 1_000n

/** The import object of a module. `memory` is called only while the module runs. */
export function createPreview1(host: WasiHost, memory: () => WebAssembly.Memory): Record<string, Call> {
  const guest = new GuestMemory(memory)
  const streams = new Streams(guest, host)
  const calls: Readonly<Record<string, Call>> = {
    ...listCalls(guest, 'args', host.args),
    ...listCalls(guest, 'environ', host.environment),
    ...clockCalls(guest, host),
    ...streamCalls(streams),
    ...processCalls(guest, host),
    poll_oneoff: (...values) =>
      pollOneoff({ memory: guest, streams, host }, [
        num(values, 0),
        num(values, 1),
        num(values, 2),
        num(values, 3)
      ])
  }
  const names = [...WASI_FUNCTIONS]
  return Object.fromEntries(names.map(name => [name, guarded(calls[name] ?? refusal(name, streams))]))
}

/** A lie of the module becomes an error number; only the end of the process gets out. */
function guarded(call: Call): Call {
  return (...values) => {
    try {
      return call(...values)
    } catch (error) {
      if (error instanceof ProcessEnd) throw error
      if (error instanceof GuestFault) return ERRNO.fault
      return errorCode(error) === 'ENOSPC' ? ERRNO.nospc : ERRNO.io
    }
  }
}

/** Calls about files, directories and sockets: nothing a module holds is one. */
function refusal(name: string, streams: Streams): Call {
  return (...values) => {
    // path_symlink has its descriptor in third place, after the text of the link
    const fd = num(values, name === 'path_symlink' ? 2 : 0)
    if (!streams.isOpen(fd)) return ERRNO.badf
    if (name.startsWith('path_')) return ERRNO.notdir
    return name.startsWith('sock_') ? ERRNO.notsock : ERRNO.notsup
  }
}

/** `args_*` and `environ_*`: pointers in one place, texts with a closing zero in another. */
function listCalls(guest: GuestMemory, prefix: string, texts: readonly string[]): Record<string, Call> {
  const encoded = texts.map(text => Buffer.from(`${text}\0`))
  return {
    [`${prefix}_sizes_get`]: (...values) => {
      guest.setU32(num(values, 0), encoded.length)
      guest.setU32(
        num(values, 1),
        encoded.reduce((sum, bytes) => sum + bytes.length, 0)
      )
      return ERRNO.success
    },
    [`${prefix}_get`]: (...values) => {
      let pointerAt = num(values, 0) >>> 0
      let textAt = num(values, 1) >>> 0
      for (const bytes of encoded) {
        guest.setU32(pointerAt, textAt)
        guest.bytes(textAt, bytes.length).set(bytes)
        pointerAt += 4
        textAt += bytes.length
      }
      return ERRNO.success
    }
  }
}

function clockCalls(guest: GuestMemory, host: WasiHost): Record<string, Call> {
  const startNs = host.monotonicNs()
  const nowNs = (id: number): bigint => {
    if (id === CLOCK_REALTIME) return host.realtimeNs()
    return id === 1 ? host.monotonicNs() : host.monotonicNs() - startNs
  }
  const isClock = (id: number): boolean => id >= 0 && id <= LAST_CLOCK
  return {
    clock_res_get: (...values) => {
      if (!isClock(num(values, 0))) return ERRNO.inval
      guest.setU64(num(values, 1), CLOCK_RESOLUTION_NS)
      return ERRNO.success
    },
    clock_time_get: (...values) => {
      if (!isClock(num(values, 0))) return ERRNO.inval
      guest.setU64(num(values, 2), nowNs(num(values, 0)))
      return ERRNO.success
    }
  }
}

function streamCalls(streams: Streams): Record<string, Call> {
  const succeedIfOpen: Call = (...values) => (streams.isOpen(num(values, 0)) ? ERRNO.success : ERRNO.badf)
  const cannotSeek: Call = (...values) => (streams.isOpen(num(values, 0)) ? ERRNO.spipe : ERRNO.badf)
  return {
    fd_write: (...values) => streams.write(num(values, 0), num(values, 1), num(values, 2), num(values, 3)),
    fd_read: (...values) => streams.read(num(values, 0), num(values, 1), num(values, 2), num(values, 3)),
    fd_close: (...values) => streams.close(num(values, 0)),
    fd_fdstat_get: (...values) => streams.describe(num(values, 0), num(values, 1)),
    fd_filestat_get: (...values) => streams.stat(num(values, 0), num(values, 1)),
    fd_sync: succeedIfOpen,
    fd_datasync: succeedIfOpen,
    fd_seek: cannotSeek,
    fd_tell: cannotSeek,
    fd_pread: cannotSeek,
    fd_pwrite: cannotSeek,
    // No descriptor is a directory given in advance: libc asks from 3 upwards until it hears this.
    fd_prestat_get: () => ERRNO.badf,
    fd_prestat_dir_name: () => ERRNO.badf
  }
}

function processCalls(guest: GuestMemory, host: WasiHost): Record<string, Call> {
  const exit = (wanted: number): never => {
    const code = Math.min(wanted, LARGEST_EXIT_CODE)
    host.exit(code)
    throw new ProcessEnd(code)
  }
  return {
    proc_exit: (...values) => exit(num(values, 0) >>> 0),
    proc_raise: (...values) => exit(128 + (num(values, 0) >>> 0)), // as a shell tells the end by a signal
    sched_yield: () => ERRNO.success,
    random_get: (...values) => {
      const target = guest.bytes(num(values, 0), num(values, 1))
      for (let at = 0; at < target.length; at += RANDOM_PIECE) {
        target.set(host.random(Math.min(RANDOM_PIECE, target.length - at)), at)
      }
      return ERRNO.success
    }
  }
}

/** A 32-bit argument; types were checked when the module was linked. */
function num(values: Values, index: number): number {
  return Number(values[index] ?? 0)
}
