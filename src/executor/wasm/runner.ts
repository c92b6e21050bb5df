/**
 * The process of one WASM execution. It reads its settings from inherited file descriptors, waits at the gate
 * until the daemon has stored the handle, runs the module in a worker, ends it when its time is up or the
 * daemon says so, and writes how it ended into the outcome file, where a restarted daemon finds it.
 *
 * It runs under Node's permission model: no files but this program, no network, no child processes. Descriptors
 * that are open already stay usable, which is all it needs.
 */

import { readFileSync, read as readGate, writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { errorCode, errorMessage, formatBytes, formatDuration, systemClock } from '../../utils/index.ts'
import { EXIT_SIGKILL, EXIT_SIGTERM } from '../outcome.ts'
import { placeOf } from './bundle-path.ts'
import {
  EXIT_TIME_LIMIT,
  EXIT_TRAP,
  RUNNER_END_LIMIT_MS,
  WORKER_HEAP_MB,
  WORKER_STACK_MB,
  WORKER_YOUNG_HEAP_MB
} from './constants.ts'
import {
  FD_CONFIG,
  FD_GATE,
  FD_OUTCOME,
  GO,
  type RunnerConfig,
  type RunnerOutcome
} from './runner-protocol.ts'

const config: RunnerConfig = JSON.parse(readFileSync(FD_CONFIG, 'utf8')) // written by the daemon of the same program
const worker = new Worker(placeOf('worker').script, {
  workerData: config,
  env: {},
  stdin: false,
  resourceLimits: {
    maxOldGenerationSizeMb: WORKER_HEAP_MB,
    maxYoungGenerationSizeMb: WORKER_YOUNG_HEAP_MB,
    stackSizeMb: WORKER_STACK_MB
  }
})
let isEnding = false

worker.on('message', (outcome: RunnerOutcome) => void end(outcome))
worker.on('error', error => void end(outcomeOfCrash(error)))
worker.on(
  'exit',
  () => void end({ cause: 'exit', exitCode: EXIT_TRAP, detail: 'the module ended without an outcome' })
)
process.on('SIGTERM', () => void end({ cause: 'stop', exitCode: EXIT_SIGTERM }))
process.on('SIGINT', () => undefined) // meant for the daemon in whose terminal it was typed
process.on('SIGHUP', () => undefined)

readGate(FD_GATE, (error, _length, buffer) => {
  if (error === null && buffer.toString('utf8', 0, GO.length) === GO) begin()
  else void abandon()
})

function begin(): void {
  const { timeLimitMs } = config
  if (timeLimitMs !== undefined) {
    const detail = formatDuration(timeLimitMs)
    systemClock.setTimer(timeLimitMs, () => void end({ cause: 'time', exitCode: EXIT_TIME_LIMIT, detail }))
  }
  worker.postMessage(GO)
}

/** The daemon died before it stored the handle: nobody would ever ask for this run. */
async function abandon(): Promise<void> {
  isEnding = true
  await worker.terminate()
}

/** Stops the module, then tells how it ended; only the first call counts. */
async function end(outcome: RunnerOutcome): Promise<void> {
  if (isEnding) return
  isEnding = true
  // A module deep in a call of the engine may not stop at once; this process must end all the same.
  systemClock.setTimer(RUNNER_END_LIMIT_MS, () => {
    writeOutcome(outcome)
    process.kill(process.pid, 'SIGKILL')
  })
  await worker.terminate()
  writeOutcome(outcome)
}

let isWritten = false

function writeOutcome(outcome: RunnerOutcome): void {
  if (isWritten) return
  isWritten = true
  writeSync(FD_OUTCOME, `${JSON.stringify(outcome)}\n`)
}

function outcomeOfCrash(error: unknown): RunnerOutcome {
  if (errorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { cause: 'memory', exitCode: EXIT_SIGKILL, detail: formatBytes(config.memoryBytes) }
  }
  return { cause: 'exit', exitCode: EXIT_TRAP, detail: `the runner failed: ${errorMessage(error)}` }
}
