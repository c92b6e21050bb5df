import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createDockerExecutor, type DockerExecutorOptions } from '../../../src/executor/docker/index.ts'
import type {
  ExecutionHandle,
  ExecutionRequest,
  ExecutionResult,
  Executor
} from '../../../src/executor/index.ts'
import { MIB, systemClock, systemRandom, utf8ToBytes } from '../../../src/utils/index.ts'
import { dockerMissing, ensureTestImage, quietLog, TEST_IMAGE } from './docker-support.ts'
import { EngineProxy } from './engine-proxy.ts'
import { handleOfKilledDaemon } from './killed-daemon.ts'
import { requestIn } from './request.ts'

const skip = await dockerMissing()
const SUCCESS: ExecutionResult = { exitCode: 0, killed: false, error: '' }
const SOCKET = '/var/run/docker.sock'

const shell = (script: string, more: Record<string, unknown> = {}) => ({
  image: TEST_IMAGE,
  cmd: ['/bin/sh', '-c', script],
  ...more
})

describe('docker executor', { ...(skip === undefined ? {} : { skip }), timeout: 120_000 }, () => {
  const ownerId = `docker-test-${process.pid}`
  let directory: string
  let executor: Executor

  const create = (options: Partial<DockerExecutorOptions> = {}) =>
    createDockerExecutor({ clock: systemClock, random: systemRandom, log: quietLog }, { ownerId, ...options })

  before(async () => {
    await ensureTestImage()
    directory = await mkdtemp(join(tmpdir(), 'nunet-docker-test-'))
    executor = create()
  })
  after(async () => {
    assert.deepEqual(await executor.list(), [], 'containers are left over')
    await executor.close()
    await rm(directory, { recursive: true, force: true })
  })

  const read = async (handle: ExecutionHandle, name: string) =>
    await readFile(join(handle.resultsDirectory, name), 'utf8')

  async function run(params: Record<string, unknown>, more: Partial<ExecutionRequest> = {}) {
    const handle = await executor.start(await requestIn(directory, params, more))
    const result = await executor.wait(handle)
    const output = {
      result,
      stdout: await read(handle, 'stdout.log'),
      stderr: await read(handle, 'stderr.log')
    }
    await executor.remove(handle)
    return output
  }

  test('environment, working directory, user and arguments reach the workload as they are', async () => {
    const { stdout } = await run({
      image: TEST_IMAGE,
      entrypoint: ['/bin/sh', '-c', 'echo "$GREETING|$(pwd)|$(id -u):$(id -g)|$1|$2"'],
      cmd: ['sh', "it's $HOME"],
      args: ['two  words'],
      environment: ['GREETING=hello you'],
      working_directory: '/tmp',
      user: '1000:1001'
    })
    assert.equal(stdout, "hello you|/tmp|1000:1001|it's $HOME|two  words\n")
  })

  test('limits are set: memory without swap, processes, CPU share, no new privileges', async () => {
    const { stdout } = await run(
      shell(
        'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; grep NoNewPrivs /proc/self/status || cat /proc/self/status',
        {}
      ),
      { resources: { cpu: { cores: 0.5 }, ram: { size: 16 * MIB }, disk: { size: 1 } } }
    )
    assert.match(stdout, /^1024$/m)
    assert.match(stdout, /NoNewPrivs:\s*1/)
  })

  test('a workload that takes more memory than it may is killed, and told so', async () => {
    const { result } = await run(shell('head -c 200000000 /dev/zero | tail', {}), {
      resources: { cpu: { cores: 1 }, ram: { size: 16 * MIB }, disk: { size: 1 } }
    })
    assert.equal(result.limit, 'memory')
    assert.equal(result.killed, true)
    assert.match(result.error, /memory limit of 16 MiB/)
  })

  test('a privileged container is refused unless the node allows it', async () => {
    const request = await requestIn(directory, shell('true', { privileged: true }))
    await assert.rejects(executor.start(request), { code: 'EXECUTOR_REFUSED' })
    const strict = create({ allowPrivileged: false })
    await assert.rejects(strict.start({ ...request, allowPrivileged: true }), { code: 'EXECUTOR_REFUSED' })
    await strict.close()
    // Where the engine itself has no privileges to give (a container in a container) the start fails, but is not refused.
    const allowed = { ...request, executionId: `${request.executionId}-allowed`, allowPrivileged: true }
    const handle = await executor.start(allowed).catch(error => {
      assert.equal(error.code, 'EXECUTOR_START_FAILED')
      return undefined
    })
    if (handle !== undefined) await executor.remove(handle)
  })

  test('a published port answers on the host', async () => {
    const hostPort = await freePort()
    const serve = shell('echo served > /tmp/index.html; exec httpd -f -p 8080 -h /tmp')
    const ports = [{ hostIp: '127.0.0.1', hostPort, workloadPort: 8080 }]
    const handle = await executor.start(await requestIn(directory, serve, { ports }))
    assert.equal(await fetchText(`http://127.0.0.1:${hostPort}/`), 'served\n')
    const again = await requestIn(directory, serve, { ports })
    await assert.rejects(executor.start(again), (error: Error & { hint?: string }) => {
      assert.match(error.message, /port is already allocated/)
      assert.match(error.hint ?? '', /another port/)
      return true
    })
    await executor.remove(handle)
  })

  test('names given as hosts resolve, the machine itself too', async () => {
    const hosts = { 'db.internal': '10.1.2.3', 'node.internal': 'host' }
    const { stdout } = await run(shell('cat /etc/hosts'), { hosts })
    assert.match(stdout, /^10\.1\.2\.3\s+db\.internal$/m)
    assert.match(stdout, /^\d+\.\d+\.\d+\.\d+\s+node\.internal$/m)
  })

  test('mounts are there, and read-only ones cannot be written', async () => {
    const source = join(directory, 'volume')
    await writeFile(source, 'inside')
    const mounts = [{ source, target: '/data/file', readOnly: true }]
    const { stdout, stderr } = await run(shell('cat /data/file; echo x > /data/file'), { mounts })
    assert.equal(stdout, 'inside')
    assert.match(stderr, /Read-only/i)
    const missing = await requestIn(directory, shell('true'), {
      mounts: [{ source: `${source}-none`, target: '/x', readOnly: true }]
    })
    await assert.rejects(executor.start(missing), { code: 'EXECUTOR_START_FAILED' })
  })

  test('provision scripts run in order before the main command, whose arguments stay as they are', async () => {
    const script = (name: string, content: string) => ({ name, content: utf8ToBytes(content) })
    const { result, stdout } = await run(
      { image: TEST_IMAGE, entrypoint: ['/bin/printf', '%s|'], cmd: ["a 'b' $c", 'd'] },
      {
        provisionScripts: [
          script('10-first.sh', '#!/bin/sh\necho first\n'),
          script("2's second", 'echo second without an interpreter line\n')
        ]
      }
    )
    assert.deepEqual(result, SUCCESS)
    assert.equal(stdout, "first\nsecond without an interpreter line\na 'b' $c|d|")
  })

  test('a provision script that fails keeps the main command from running, and is named', async () => {
    const script = (name: string, content: string) => ({ name, content: utf8ToBytes(content) })
    const { result, stdout, stderr } = await run(shell('echo main', { user: '1000' }), {
      provisionScripts: [script('bad one', 'exit 4'), script('never', 'echo never')]
    })
    assert.deepEqual(result, {
      exitCode: 4,
      killed: false,
      error: "provision script 'bad one' failed with code 4"
    })
    assert.equal(stdout, '')
    assert.match(stderr, /bad one/)
  })

  test('an image that is not there and cannot be pulled is named', async () => {
    const request = await requestIn(directory, { image: 'localhost:1/nunet/none' })
    const steps: string[] = []
    const start = executor.start(request, { onProgress: progress => void steps.push(progress.step) })
    await assert.rejects(start, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'EXECUTOR_IMAGE')
      assert.match(error.message, /'localhost:1\/nunet\/none:latest'/)
      return true
    })
    assert.deepEqual(steps, ['pulling'])
  })

  test('a command that is not in the image fails the start with a hint and leaves no container', async () => {
    const request = await requestIn(directory, { image: TEST_IMAGE, cmd: ['/no/such/command'] })
    await executor
      .start(request)
      .then(async handle => {
        // With an init process the engine starts, and the init fails at once.
        assert.notEqual((await executor.wait(handle)).exitCode, 0)
        await executor.remove(handle)
      })
      .catch((error: Error & { code?: string }) => assert.equal(error.code, 'EXECUTOR_START_FAILED'))
  })

  test('output beyond the bound is cut, and the workload goes on', async () => {
    const small = create({ maxLogBytes: 100_000 })
    const handle = await small.start(await requestIn(directory, shell('seq 1 100000; echo end >&2')))
    assert.deepEqual(await small.wait(handle), SUCCESS)
    assert.equal((await stat(join(handle.resultsDirectory, 'stdout.log'))).size, 100_000)
    assert.equal(await read(handle, 'stderr.log'), 'end\n')
    await small.remove(handle)
    await small.close()
  })

  test('megabytes of output are kept whole', async () => {
    const { stdout } = await run(shell('seq 1 400000'))
    assert.equal(stdout.length, 2_688_895)
    assert.match(stdout, /^1\n2\n[\s\S]*\n400000\n$/)
  })

  test('exec gives both streams and the exit code, bounded', async () => {
    const handle = await executor.start(await requestIn(directory, shell('exec sleep 600')))
    assert.deepEqual(await executor.exec(handle, ['/bin/sh', '-c', 'echo out; echo err >&2; exit 5']), {
      exitCode: 5,
      stdout: 'out\n',
      stderr: 'err\n'
    })
    const flood = await executor.exec(handle, ['head', '-c', String(3 * MIB), '/dev/zero'])
    assert.equal(flood.stdout.length, MIB)
    await executor.remove(handle)
  })

  test('stats see a busy CPU and the memory limit', async () => {
    const handle = await executor.start(await requestIn(directory, shell('while :; do :; done')))
    await executor.stats(handle)
    await systemClock.sleep(300)
    const stats = await executor.stats(handle)
    assert.ok(stats.cpuPercent > 10 && stats.cpuPercent < 200, `${stats.cpuPercent} %`)
    assert.equal(stats.memoryLimitBytes, 32 * MIB)
    await executor.remove(handle)
  })

  test('a container goes on when the daemon is killed; the next one has its whole output once', async () => {
    const request = await requestIn(
      directory,
      shell('for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.3; done')
    )
    const handle = await handleOfKilledDaemon({ type: 'docker', ownerId, stateDirectory: directory }, request)
    assert.equal(await executor.recover(handle), 'running')
    assert.deepEqual(await executor.wait(handle), SUCCESS)
    assert.equal(await read(handle, 'stdout.log'), [1, 2, 3, 4, 5, 6, 7, 8].map(i => `line ${i}\n`).join(''))
    await executor.remove(handle)
  })

  test('a container created by a killed daemon, but never started, is pending and can be removed', async () => {
    const request = await requestIn(directory, shell('echo never'))
    const handle = await handleOfKilledDaemon(
      { type: 'docker', ownerId, stateDirectory: directory, hang: true },
      request
    )
    assert.equal(await executor.recover(handle), 'pending')
    assert.equal((await executor.wait(handle)).exitCode, -1)
    await executor.remove(handle)
  })

  test('the time limit goes on counting over a restart of the daemon', async () => {
    const first = create()
    const handle = await first.start(
      await requestIn(directory, shell('exec sleep 600'), { timeLimitMs: 1_000 })
    )
    await first.close()
    assert.equal(await executor.recover(handle), 'running')
    const { limit, error } = await executor.wait(handle)
    assert.equal(limit, 'time')
    assert.match(error, /time limit of 1\.0 s/)
    await executor.remove(handle)
  })

  test('an engine that goes away and comes back costs neither the result nor a line of output', async () => {
    await using proxy = new EngineProxy(join(directory, 'engine.sock'), SOCKET)
    await proxy.open()
    const remote = create({ socketPath: proxy.path })
    const script = 'for i in 1 2 3 4 5 6; do echo line $i; sleep 0.3; done'
    const handle = await remote.start(await requestIn(directory, shell(script)))
    const waiting = remote.wait(handle)
    await untilOutput(handle, 'line 2\n')
    await proxy.cut()
    await assert.rejects(remote.status(handle), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'EXECUTOR_UNAVAILABLE')
      assert.match(error.hint ?? '', /start docker/)
      return true
    })
    assert.equal((await remote.fingerprint()).available, false)
    await proxy.open()
    assert.deepEqual(await waiting, SUCCESS)
    assert.equal(await read(handle, 'stdout.log'), [1, 2, 3, 4, 5, 6].map(i => `line ${i}\n`).join(''))
    await remote.remove(handle)
    await remote.close()
  })

  test('a wait for an engine that stays away ends when the executor is closed', async () => {
    await using proxy = new EngineProxy(join(directory, 'gone.sock'), SOCKET)
    await proxy.open()
    const remote = create({ socketPath: proxy.path })
    const handle = await remote.start(await requestIn(directory, shell('exec sleep 600')))
    const waiting = assert.rejects(remote.wait(handle), { code: 'EXECUTOR_UNAVAILABLE' })
    await proxy.cut()
    await remote.close()
    await waiting
    await executor.remove(handle)
  })

  test('twenty short tasks at once: none is missed, none loses its output', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => await run(shell(`printf ${index}`)))
    )
    assert.deepEqual(
      results.map(({ stdout }) => stdout),
      results.map((_, index) => String(index))
    )
  })

  async function untilOutput(handle: ExecutionHandle, text: string): Promise<void> {
    while (!(await read(handle, 'stdout.log').catch(() => '')).includes(text)) await systemClock.sleep(20)
  }
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** The server inside needs a moment to listen. */
async function fetchText(url: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await (await fetch(url)).text()
    } catch (error) {
      if (attempt > 100) throw error
      await systemClock.sleep(50)
    }
  }
}
