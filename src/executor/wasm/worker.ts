/**
 * Runs the module, in a thread of its own so that the runner can end it at any moment. Output goes straight to
 * the log files' descriptors, counted; every end is told to the runner before the module could catch it.
 */

import { readFileSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { errorMessage, formatBytes, systemClock, systemRandom, utf8ToBytes } from '../../utils/index.ts'
import { EXIT_SIGKILL } from '../outcome.ts'
import { EXIT_TRAP } from './constants.ts'
import { FD_MODULE, FD_STDERR, FD_STDOUT, type RunnerConfig, type RunnerOutcome } from './runner-protocol.ts'
import { WASI_MODULE } from './wasi/constants.ts'
import { ProcessEnd, type WasiHost } from './wasi/host.ts'
import { createPreview1 } from './wasi/preview1.ts'

/** A module whose memory is fuller than this when it traps died of its limit: allocators abort when they cannot grow. */
const FULL_MEMORY_SHARE = 0.9

const config: RunnerConfig = workerData
const sleeper = new Int32Array(new SharedArrayBuffer(4))
const written = { 1: 0, 2: 0 }
let memory: WebAssembly.Memory | undefined

const host: WasiHost = {
  args: config.args,
  environment: config.environment,
  stdin: utf8ToBytes(config.stdin),
  write(stream, bytes) {
    const room = config.maxLogBytes - written[stream]
    writeAll(stream === 1 ? FD_STDOUT : FD_STDERR, bytes.subarray(0, room))
    written[stream] += Math.min(bytes.length, room)
    if (bytes.length <= room) return
    tell({ cause: 'output', exitCode: EXIT_SIGKILL, detail: formatBytes(config.maxLogBytes) })
    throw new ProcessEnd(EXIT_SIGKILL)
  },
  realtimeNs: () => systemClock.nowNs(),
  monotonicNs: () => BigInt(Math.round(systemClock.monotonicMs() * 1e6)),
  sleepNs: ns => void Atomics.wait(sleeper, 0, 0, Number(ns) / 1e6),
  random: length => systemRandom.bytes(length),
  exit: code => tell({ cause: 'exit', exitCode: code })
}

const module = compile()
parentPort?.once('message', () => {
  if (module !== undefined) tell(run(module))
})

function compile(): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(new Uint8Array(readFileSync(FD_MODULE)))
  } catch (error) {
    tell(outcomeOf(error))
    return undefined
  }
}

function run(compiled: WebAssembly.Module): RunnerOutcome {
  try {
    const instance = new WebAssembly.Instance(compiled, { [WASI_MODULE]: createPreview1(host, guestMemory) })
    const { memory: exported, _start: start } = instance.exports
    memory = exported instanceof WebAssembly.Memory ? exported : undefined
    if (typeof start !== 'function')
      return { cause: 'exit', exitCode: EXIT_TRAP, detail: "the module exports no '_start'" }
    start()
    return { cause: 'exit', exitCode: 0 }
  } catch (error) {
    return outcomeOf(error)
  }
}

/** A start function of the module may call WASI before its memory is known: it then has none. */
function guestMemory(): WebAssembly.Memory {
  if (memory === undefined) throw new Error('the memory is not there yet')
  return memory
}

function outcomeOf(error: unknown): RunnerOutcome {
  if (error instanceof ProcessEnd) return { cause: 'exit', exitCode: error.exitCode }
  const message = errorMessage(error).replace(/\s+/g, ' ').slice(0, 300)
  const limit = formatBytes(config.memoryBytes)
  if (/out of memory|could not allocate memory|memory size .* is larger than/i.test(message)) {
    return { cause: 'memory', exitCode: EXIT_SIGKILL, detail: limit }
  }
  const used = memory?.buffer.byteLength ?? 0
  if (used >= config.memoryBytes * FULL_MEMORY_SHARE) {
    return { cause: 'memory', exitCode: EXIT_SIGKILL, detail: limit }
  }
  return {
    cause: 'exit',
    exitCode: EXIT_TRAP,
    detail: `the module trapped: ${message} (memory: ${formatBytes(used)} of ${limit})`
  }
}

function tell(outcome: RunnerOutcome): void {
  parentPort?.postMessage(outcome)
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}
