import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type {
  ExecutionHandle,
  ExecutionRequest,
  ExecutionResult,
  Executor
} from '../../../src/executor/index.ts'
import { createWasmExecutor } from '../../../src/executor/wasm/index.ts'
import { processStart } from '../../../src/executor/wasm/process-identity.ts'
import { MIB, systemClock, systemRandom } from '../../../src/utils/index.ts'
import { quietLog } from './docker-support.ts'
import { handleOfKilledDaemon } from './killed-daemon.ts'
import { requestIn } from './request.ts'
import { moduleText } from './wasm-support.ts'

const LOG_LIMIT = MIB
const ownerId = 'wasm-test'
let directory: string
let stateDirectory: string
let executor: Executor

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nunet-wasm-test-'))
  stateDirectory = join(directory, 'state')
  executor = createWasmExecutor(
    { clock: systemClock, random: systemRandom, log: quietLog },
    { ownerId, stateDirectory, maxLogBytes: LOG_LIMIT }
  )
})
after(async () => {
  await executor.close()
  await rm(directory, { recursive: true, force: true })
})

interface Run {
  readonly result: ExecutionResult
  readonly stdout: string
  readonly stderr: string
}

async function output(handle: ExecutionHandle): Promise<{ stdout: string; stderr: string }> {
  const read = async (name: string) => await readFile(join(handle.resultsDirectory, name), 'utf8')
  return { stdout: await read('stdout.log'), stderr: await read('stderr.log') }
}

async function run(params: Record<string, unknown>, more: Partial<ExecutionRequest> = {}): Promise<Run> {
  const handle = await executor.start(await requestIn(directory, params, more))
  const result = await executor.wait(handle)
  const { stdout, stderr } = await output(handle)
  await executor.remove(handle)
  return { result, stdout, stderr }
}

const SUCCESS: ExecutionResult = { exitCode: 0, killed: false, error: '' }

test('hello greets, and prints its arguments and environment, non-ASCII ones too', async () => {
  const { result, stdout } = await run({
    module: moduleText('hello', 'example'),
    args: ['one', 'zwölf €', ''],
    environment: ['NAME=Ä', 'EMPTY=']
  })
  assert.deepEqual(result, SUCCESS)
  assert.equal(
    stdout,
    'Hello from a NuNet node!\nargument: one\nargument: zwölf €\nargument: \nenvironment: NAME=Ä\nenvironment: EMPTY=\n'
  )
})

test('a workload sees nothing of the environment of the daemon', async () => {
  const { stdout } = await run({ module: moduleText('hello', 'example') })
  assert.equal(stdout, 'Hello from a NuNet node!\n')
})

test('primes counts primes, and refuses what is no number', async () => {
  const count = async (args: string[]) => await run({ module: moduleText('primes', 'example'), args })
  assert.equal((await count(['100000'])).stdout, '9592\n')
  assert.equal((await count(['2'])).stdout, '0\n')
  assert.equal((await count(['4'])).stdout, '2\n')
  const wrong = await count(['12x'])
  assert.equal(wrong.result.exitCode, 2)
  assert.match(wrong.stderr, /expected a whole number/)
})

test('ticker prints while it runs, and ends when it is stopped', async () => {
  const handle = await executor.start(await requestIn(directory, { module: moduleText('ticker', 'example') }))
  await untilOutput(handle, 'tick 1\n')
  await executor.stop(handle)
  assert.equal((await executor.wait(handle)).killed, true)
  assert.match((await output(handle)).stdout, /^tick 1\n/)
  await executor.remove(handle)
})

test('standard input is what the parameters say', async () => {
  const { stdout } = await run({
    module: moduleText('read-input'),
    stdin: 'a line\nand another, longer than the buffer\n'
  })
  assert.equal(stdout, 'a line\nand another, longer than the buffer\n')
})

test('an endless loop is ended by the time limit of its parameters', async () => {
  const { result } = await run(
    { module: moduleText('endless-loop'), time_limit: '300ms' },
    { timeLimitMs: 60_000 }
  )
  assert.deepEqual(result, {
    exitCode: 124,
    killed: true,
    limit: 'time',
    error: 'stopped: the time limit of 300 ms was exceeded'
  })
})

test('a memory hog ends at its memory limit', async () => {
  const { result } = await run({ module: moduleText('memory-hog') })
  assert.deepEqual(result, {
    exitCode: 137,
    killed: true,
    limit: 'memory',
    error: 'killed: the memory limit of 32 MiB was exceeded'
  })
})

test('a module that wants more memory than it may have from the start does not run', async () => {
  const { result } = await run({ module: moduleText('memory-greedy') })
  assert.equal(result.limit, 'memory')
})

test('a flood of output ends at the output limit, and no byte more is on the disk', async () => {
  const handle = await executor.start(await requestIn(directory, { module: moduleText('output-flood') }))
  const result = await executor.wait(handle)
  assert.deepEqual(result, {
    exitCode: 137,
    killed: true,
    limit: 'output',
    error: 'killed: the output limit of 1 MiB was exceeded'
  })
  assert.equal((await stat(join(handle.resultsDirectory, 'stdout.log'))).size, LOG_LIMIT)
  await executor.remove(handle)
})

test('recursion without end is a trap that says so', async () => {
  const { result, stderr } = await run({ module: moduleText('deep-recursion') })
  assert.equal(result.exitCode, 134)
  assert.match(result.error, /^the module trapped: Maximum call stack size exceeded[^\n]*$/)
  assert.equal(stderr, '', 'nothing of ours is in the log of the workload')
})

test('files and sockets cannot be reached by any descriptor, those of the process included', async () => {
  const { result } = await run({ module: moduleText('break-out'), stdin: 'x' })
  assert.deepEqual(result, SUCCESS)
})

test('addresses outside of the memory are refused by every call', async () => {
  const { result } = await run({ module: moduleText('wild-pointers') })
  assert.deepEqual(result, SUCCESS)
})

test('a module cannot outlive its exit by catching it', async () => {
  const { result } = await run({ module: moduleText('catch-exit') })
  assert.deepEqual(result, { exitCode: 3, killed: false, error: 'exited with code 3' })
})

test('what a module can never have is refused before anything is made', async () => {
  const port = { hostIp: '127.0.0.1', hostPort: 1, workloadPort: 1 }
  const refused = async (more: Partial<ExecutionRequest>) => {
    const request = await requestIn(directory, { module: moduleText('echo') }, more)
    await assert.rejects(executor.start(request), { code: 'EXECUTOR_UNSUPPORTED' })
  }
  await refused({ ports: [port] })
  await refused({ mounts: [{ source: '/', target: '/host', readOnly: true }] })
  await refused({ provisionScripts: [{ name: 'a', content: new Uint8Array() }] })
  assert.deepEqual(await executor.list(), [])
})

test('a start in a results directory that is not there leaves nothing', async () => {
  const request = await requestIn(
    directory,
    { module: moduleText('echo') },
    { resultsDirectory: join(directory, 'none') }
  )
  await assert.rejects(executor.start(request))
  assert.deepEqual(await executor.list(), [])
})

test('a workload goes on when the daemon is killed, and the next daemon gets its result and whole output', async () => {
  const request = await requestIn(directory, { module: moduleText('slow') })
  const handle = await handleOfKilledDaemon({ type: 'wasm', ownerId, stateDirectory }, request)
  assert.notEqual(await executor.recover(handle), 'lost')
  assert.deepEqual(await executor.wait(handle), SUCCESS)
  assert.equal((await output(handle)).stdout, 'one\ntwo\n')
  await executor.remove(handle)
})

test('a running workload of a killed daemon can be stopped by the next', async () => {
  const request = await requestIn(directory, { module: moduleText('endless-loop') })
  const handle = await handleOfKilledDaemon({ type: 'wasm', ownerId, stateDirectory }, request)
  assert.equal(await executor.recover(handle), 'running')
  await executor.stop(handle)
  assert.equal((await executor.wait(handle)).killed, true)
  assert.equal(await processStart(Number(handle.state['pid'])), undefined)
  await executor.remove(handle)
})

test('a daemon killed before it stored the handle leaves no running workload', async () => {
  const request = await requestIn(directory, { module: moduleText('echo'), args: ['ran', '', '0'] })
  const handle = await handleOfKilledDaemon({ type: 'wasm', ownerId, stateDirectory, hang: true }, request)
  await executor.recover(handle)
  const result = await executor.wait(handle)
  assert.equal(result.exitCode, -1)
  assert.equal((await output(handle)).stdout, '')
  await executor.remove(handle)
})

test('a runner killed from outside counts as killed; one that no daemon could watch is lost', async () => {
  const own = await executor.start(await requestIn(directory, { module: moduleText('endless-loop') }))
  process.kill(Number(own.state['pid']), 'SIGKILL')
  const { exitCode, killed, error } = await executor.wait(own)
  assert.deepEqual({ exitCode, killed }, { exitCode: 137, killed: true })
  assert.match(error, /killed from outside/)
  await executor.remove(own)
  const request = await requestIn(directory, { module: moduleText('endless-loop') })
  const orphan = await handleOfKilledDaemon({ type: 'wasm', ownerId, stateDirectory }, request)
  assert.equal(await executor.recover(orphan), 'running')
  process.kill(Number(orphan.state['pid']), 'SIGKILL')
  assert.match((await executor.wait(orphan)).error, /lost/)
  assert.equal(await executor.status(orphan), 'lost')
  await executor.remove(orphan)
})

test('another process that got the same id is left alone', async () => {
  const handle = await executor.start(await requestIn(directory, { module: moduleText('slow') }))
  await executor.wait(handle)
  const forged = { ...handle, state: { ...handle.state, pid: process.pid } }
  const next = createWasmExecutor(
    { clock: systemClock, random: systemRandom, log: quietLog },
    { ownerId, stateDirectory }
  )
  assert.equal(await next.status(forged), 'success', 'its outcome file is still true')
  await next.stop(forged)
  await next.remove(forged)
  await next.close()
})

/** Resolves when the log holds the text: looks at it on each change of the file. */
async function untilOutput(handle: ExecutionHandle, text: string): Promise<void> {
  while (!(await output(handle)).stdout.includes(text)) await systemClock.sleep(20)
}
