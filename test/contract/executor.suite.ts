/**
 * What every executor must do, whatever it runs workloads with. Each implementation hands in a subject: how to
 * make an executor on the same machine again (as a restarted daemon does), and recipes for a few workloads.
 */

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { ExecutionHandle, ExecutionRequest, Executor, StartProgress } from '../../src/executor/index.ts'
import { MIB } from '../../src/utils/index.ts'

type Params = Record<string, unknown>

/** One implementation under test. */
export interface ExecutorSubject {
  /** A new executor of this owner, on the machine where those before it worked. */
  create(ownerId: string): Executor
  readonly workloads: {
    /** Writes both texts and exits with the code. */
    prints(stdout: string, stderr: string, exitCode: number): Params
    /** Runs until it is stopped, and ends when asked to. */
    readonly runsForever: Params
    /** Runs until it is killed, deaf to polite requests. Absent when no workload can be. */
    readonly ignoresStop?: Params
    /** Runs for about half a second, prints `one` at its start and `two` at its end, exits 0. */
    readonly slowTask: Params
    /** Parameters that `validate` refuses. */
    readonly invalid: Params
  }
  /** Whether commands can be run inside. */
  readonly canExec: boolean
  dispose(): Promise<void>
}

/** Applies the suite; with `skip` it reports why it could not be. */
export function executorContract(name: string, setUp: () => Promise<ExecutorSubject>, skip?: string): void {
  describe(`executor contract: ${name}`, {
    ...(skip === undefined ? {} : { skip }),
    timeout: 120_000
  }, () => {
    let subject: ExecutorSubject
    let directory: string
    let executor: Executor
    let count = 0
    const ownerId = `contract-${process.pid}`

    before(async () => {
      subject = await setUp()
      directory = await mkdtemp(join(tmpdir(), 'nunet-executor-'))
      executor = subject.create(ownerId)
    })
    after(async () => {
      for (const executionId of await executor.list())
        await executor.remove(await handleOfLeftover(executionId))
      await executor.close()
      await subject.dispose()
      await rm(directory, { recursive: true, force: true })
    })

    const handleOfLeftover = async (executionId: string): Promise<ExecutionHandle> =>
      handles.get(executionId) ?? fail(executionId)
    const handles = new Map<string, ExecutionHandle>()

    async function request(params: Params, more: Partial<ExecutionRequest> = {}): Promise<ExecutionRequest> {
      count++
      return {
        executionId: `x${process.pid}-${count}`,
        jobId: 'ensemble_node.allocation',
        engine: { type: executor.type, params },
        resources: { cpu: { cores: 1 }, ram: { size: 64 * MIB }, disk: { size: MIB } },
        resultsDirectory: await mkdtemp(join(directory, 'results-')),
        ports: [],
        mounts: [],
        provisionScripts: [],
        hosts: {},
        allowPrivileged: false,
        ...more
      }
    }

    async function start(params: Params, more: Partial<ExecutionRequest> = {}): Promise<ExecutionHandle> {
      const handle = await executor.start(await request(params, more))
      handles.set(handle.executionId, handle)
      return handle
    }

    const log = async (handle: ExecutionHandle, stream: string) =>
      await readFile(join(handle.resultsDirectory, `${stream}.log`), 'utf8')

    test('it says that it can run, and its version', async () => {
      const fingerprint = await executor.fingerprint()
      assert.deepEqual([fingerprint.available, fingerprint.reason], [true, undefined])
      assert.ok(fingerprint.version)
    })

    test('validate accepts its own workloads and names what is wrong with others, one line each', () => {
      assert.deepEqual(executor.validate(subject.workloads.prints('a', 'b', 0)), [])
      const problems = executor.validate(subject.workloads.invalid)
      assert.ok(problems.length > 0)
      for (const problem of problems) assert.doesNotMatch(problem, /\n/)
    })

    test('a start with parameters that are refused throws and leaves nothing', async () => {
      await assert.rejects(executor.start(await request(subject.workloads.invalid)), {
        name: 'ExecutorError'
      })
      assert.deepEqual(await executor.list(), [])
    })

    test('a task that succeeds has exit code 0, no error, and its whole output in the log files', async () => {
      const handle = await start(subject.workloads.prints('héllo\nworld', 'oops', 0))
      assert.deepEqual(await executor.wait(handle), { exitCode: 0, killed: false, error: '' })
      assert.equal(await log(handle, 'stdout'), 'héllo\nworld')
      assert.equal(await log(handle, 'stderr'), 'oops')
      assert.equal(await executor.status(handle), 'success')
      await executor.remove(handle)
    })

    test('a task that fails keeps its exit code and its output, and says one line', async () => {
      const handle = await start(subject.workloads.prints('so far', '', 7))
      const result = await executor.wait(handle)
      assert.equal(result.exitCode, 7)
      assert.equal(result.killed, false)
      assert.match(result.error, /^[^\n]+$/)
      assert.equal(await log(handle, 'stdout'), 'so far')
      assert.equal(await executor.status(handle), 'failed')
      assert.deepEqual(await executor.wait(handle), result, 'waiting again gives the same')
      await executor.remove(handle)
    })

    test('the handle is stored before the workload runs, and its JSON form is as good', async () => {
      const seen: string[] = []
      const wanted = await request(subject.workloads.prints('x', '', 0))
      const handle = await executor.start(wanted, {
        onProgress: (progress: StartProgress) => void seen.push(progress.step),
        onHandle: async early => {
          seen.push('handle')
          assert.notEqual(await executor.status(early), 'success')
        }
      })
      assert.deepEqual(seen, ['creating', 'handle', 'started'])
      const stored: ExecutionHandle = JSON.parse(JSON.stringify(handle))
      assert.equal((await executor.wait(stored)).exitCode, 0)
      await executor.remove(stored)
    })

    test('a start whose handle cannot be stored leaves nothing', async () => {
      const onHandle = () => Promise.reject(new Error('disk full'))
      await assert.rejects(
        executor.start(await request(subject.workloads.runsForever), { onHandle }),
        /disk full/
      )
      assert.deepEqual(await executor.list(), [])
    })

    test('a start given up leaves nothing and throws the reason', async () => {
      const wanted = await request(subject.workloads.runsForever)
      await assert.rejects(
        executor.start(wanted, { signal: AbortSignal.abort(new Error('too late')) }),
        /too late/
      )
      const controller = new AbortController()
      const onHandle = () => controller.abort(new Error('never mind'))
      await assert.rejects(executor.start(wanted, { signal: controller.signal, onHandle }), /never mind/)
      assert.deepEqual(await executor.list(), [])
    })

    test('an execution id is good for one execution', async () => {
      const wanted = await request(subject.workloads.runsForever)
      const handle = await executor.start(wanted)
      await assert.rejects(executor.start(wanted), { code: 'EXECUTOR_START_FAILED' })
      assert.equal(await executor.status(handle), 'running')
      await executor.remove(handle)
    })

    test('stop ends a workload, which then counts as killed; stopping again is harmless', async () => {
      const handle = await start(subject.workloads.runsForever)
      assert.equal(await executor.status(handle), 'running')
      await executor.stop(handle)
      const result = await executor.wait(handle)
      assert.equal(result.killed, true)
      assert.equal(result.limit, undefined)
      assert.match(result.error, /stopped/)
      assert.equal(await executor.status(handle), 'failed')
      await executor.stop(handle)
      await executor.remove(handle)
    })

    test('stop kills a workload that does not listen, after its grace', async context => {
      const { ignoresStop } = subject.workloads
      if (ignoresStop === undefined) return context.skip('no workload of this executor can refuse to end')
      const handle = await start(ignoresStop)
      await executor.stop(handle, { graceMs: 300 })
      const result = await executor.wait(handle)
      assert.equal(result.exitCode, 137)
      assert.equal(result.killed, true)
      await executor.remove(handle)
    })

    test('the time limit ends a workload and is named', async () => {
      const handle = await start(subject.workloads.runsForever, { timeLimitMs: 600 })
      const result = await executor.wait(handle)
      assert.equal(result.limit, 'time')
      assert.equal(result.killed, true)
      assert.match(result.error, /time limit/)
      await executor.remove(handle)
    })

    test('a wait given up throws the reason and lets the workload run', async () => {
      const handle = await start(subject.workloads.runsForever)
      const controller = new AbortController()
      const waiting = executor.wait(handle, { signal: controller.signal })
      controller.abort(new Error('no patience'))
      await assert.rejects(waiting, /no patience/)
      assert.equal(await executor.status(handle), 'running')
      await executor.remove(handle)
    })

    test('a workload outlives its executor and is taken up by the next, its output neither doubled nor cut', async () => {
      const first = subject.create(ownerId)
      const handle = await first.start(await request(subject.workloads.slowTask))
      const waiting = assert.rejects(first.wait(handle), { code: 'EXECUTOR_UNAVAILABLE' })
      await first.close()
      await waiting
      const second = subject.create(ownerId)
      assert.deepEqual(await second.list(), [handle.executionId])
      assert.notEqual(await second.recover(handle), 'lost')
      assert.notEqual(await second.recover(handle), 'lost', 'twice is harmless')
      assert.deepEqual(await second.wait(handle), { exitCode: 0, killed: false, error: '' })
      assert.equal(await log(handle, 'stdout'), 'one\ntwo\n')
      await second.remove(handle)
      await second.close()
    })

    test('a workload that ended while no daemon ran is found with its result and its output', async () => {
      const first = subject.create(ownerId)
      const handle = await first.start(await request(subject.workloads.prints('kept', '', 3)))
      await first.close()
      await executor.wait(handle)
      const second = subject.create(ownerId)
      assert.equal(await second.recover(handle), 'failed')
      assert.equal((await second.wait(handle)).exitCode, 3)
      assert.equal(await log(handle, 'stdout'), 'kept')
      await second.remove(handle)
      await second.close()
    })

    test('an execution of which nothing is left is lost, and nothing that is asked about it hangs', async () => {
      const handle = await start(subject.workloads.runsForever)
      await executor.remove(handle)
      assert.equal(await executor.recover(handle), 'lost')
      assert.equal(await executor.status(handle), 'lost')
      const result = await executor.wait(handle)
      assert.equal(result.exitCode, -1)
      assert.match(result.error, /lost/)
      await executor.stop(handle)
      await executor.remove(handle)
      await assert.rejects(executor.stats(handle), { code: 'EXECUTOR_NOT_RUNNING' })
    })

    test('remove ends a running workload, and who waits for it hears so', async () => {
      const handle = await start(subject.workloads.runsForever)
      const waiting = executor.wait(handle)
      await executor.remove(handle)
      assert.equal((await waiting).killed, true)
      assert.deepEqual(await executor.list(), [])
    })

    test('list tells all executions of its owner, ended or not, and nobody else’s', async () => {
      const running = await start(subject.workloads.runsForever)
      const ended = await start(subject.workloads.prints('', '', 0))
      await executor.wait(ended)
      const stranger = subject.create(`${ownerId}-other`)
      assert.deepEqual((await executor.list()).sort(), [running.executionId, ended.executionId].sort())
      assert.deepEqual(await stranger.list(), [])
      assert.equal(await stranger.status(running), 'lost')
      await stranger.remove(running)
      assert.equal(await executor.status(running), 'running', 'a stranger cannot remove it')
      await stranger.close()
      await executor.remove(running)
      await executor.remove(ended)
    })

    test('stats tell of a running workload and refuse an ended one', async () => {
      const handle = await start(subject.workloads.runsForever)
      const stats = await executor.stats(handle)
      assert.equal(stats.memoryLimitBytes, 64 * MIB)
      assert.ok(stats.cpuPercent >= 0)
      await executor.stop(handle)
      await assert.rejects(executor.stats(handle), { code: 'EXECUTOR_NOT_RUNNING' })
      await executor.remove(handle)
    })

    test('exec runs a command inside, or says that it cannot', async () => {
      const handle = await start(subject.workloads.runsForever)
      if (subject.canExec) {
        assert.equal((await executor.exec(handle, ['true'])).exitCode, 0)
        await executor.stop(handle)
        await assert.rejects(executor.exec(handle, ['true']), { code: 'EXECUTOR_NOT_RUNNING' })
      } else {
        await assert.rejects(executor.exec(handle, ['true']), { code: 'EXECUTOR_UNSUPPORTED' })
      }
      await executor.remove(handle)
    })

    test('ten executions at once do not mix', async () => {
      const wanted = await Promise.all(
        Array.from(
          { length: 10 },
          async (_, index) => await start(subject.workloads.prints(`out ${index}`, '', index))
        )
      )
      const results = await Promise.all(wanted.map(async handle => (await executor.wait(handle)).exitCode))
      assert.deepEqual(results, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      const outputs = await Promise.all(wanted.map(async handle => await log(handle, 'stdout')))
      assert.deepEqual(
        outputs,
        wanted.map((_, index) => `out ${index}`)
      )
      await Promise.all(wanted.map(async handle => await executor.remove(handle)))
    })
  })
}

function fail(executionId: string): never {
  throw new Error(`a test left execution '${executionId}' behind`)
}
