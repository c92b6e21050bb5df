import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createDockerExecutor } from '../../../../src/executor/docker/index.ts'
import { PullProgress } from '../../../../src/executor/docker/pull-progress.ts'
import type { ExecutionRequest, StartProgress } from '../../../../src/executor/index.ts'
import { SeededRandom, VirtualClock } from '../../../../src/utils/index.ts'
import { quietLog } from '../../../integration/executor/docker-support.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let directory: string
let socketPath: string
let server: Server
/** Answers by `METHOD path`, the version prefix left out; what is not there is a 404. */
let answers: Record<string, Answer>
let asked: string[]

const json =
  (value: unknown, status = 200): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
const VERSION = json({ Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' })

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nunet-engine-'))
  socketPath = join(directory, 'engine.sock')
  server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?')
    asked.push(`${request.method} ${request.url}`)
    const answer = answers[`${request.method} ${path.replace(/^\/v[\d.]+/, '')}`]
    request.resume()
    if (answer) answer(request, response)
    else json({ message: 'no such thing' }, 404)(request, response)
  })
  await new Promise<void>(resolve => server.listen(socketPath, resolve))
})
after(async () => {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  await rm(directory, { recursive: true, force: true })
})
beforeEach(() => {
  answers = { 'GET /version': VERSION }
  asked = []
})

function create(path = socketPath) {
  const clock = new VirtualClock()
  const executor = createDockerExecutor(
    { clock, random: new SeededRandom('engine'), log: quietLog },
    { ownerId: 'o', socketPath: path }
  )
  return { clock, executor }
}

const request = (image: string): ExecutionRequest => ({
  executionId: 'x1',
  jobId: 'j',
  engine: { type: 'docker', params: { image } },
  resources: { cpu: { cores: 1 }, ram: { size: 1 }, disk: { size: 1 } },
  resultsDirectory: directory,
  ports: [],
  mounts: [],
  provisionScripts: [],
  hosts: {},
  allowPrivileged: false
})

test('the newest API version that both sides speak is used', async () => {
  const pathFor = async (ApiVersion: string, MinAPIVersion: string) => {
    answers = {
      'GET /version': json({ Version: '1', ApiVersion, MinAPIVersion }),
      'GET /containers/json': json([])
    }
    asked = []
    const { executor } = create()
    await executor.list()
    await executor.close()
    return asked.at(-1)
  }
  assert.match((await pathFor('1.41', '1.12')) ?? '', /^GET \/v1\.41\//)
  assert.match((await pathFor('1.60', '1.40')) ?? '', /^GET \/v1\.47\//)
  assert.match((await pathFor('1.60', '1.50')) ?? '', /^GET \/v1\.50\//)
})

test('an engine that is too old is unavailable, with its version', async () => {
  answers = { 'GET /version': json({ Version: '18.9', ApiVersion: '1.39' }) }
  const { available, reason } = await create().executor.fingerprint()
  assert.equal(available, false)
  assert.match(reason ?? '', /18\.9.*1\.39.*1\.41/)
})

test('no engine, and something that is no engine, are unavailable in one line that says what to do', async () => {
  const file = join(directory, 'file')
  await writeFile(file, '')
  for (const path of [join(directory, 'none.sock'), file]) {
    const { available, reason } = await create(path).executor.fingerprint()
    assert.equal(available, false)
    assert.match(reason ?? '', /^[^\n]*start docker[^\n]*$/)
  }
  answers = { 'GET /version': (_request, response) => void response.end('hello') }
  assert.equal((await create().executor.fingerprint()).available, false)
})

test('an engine that does not answer is given up after its time', async () => {
  const asking = Promise.withResolvers<void>()
  answers = { 'GET /version': () => asking.resolve() }
  const { clock, executor } = create()
  const fingerprint = executor.fingerprint()
  await asking.promise
  await clock.advance(5_000)
  assert.match((await fingerprint).reason ?? '', /took longer than 5000 ms/)
  assert.equal(clock.pendingTimers, 0)
})

test('an answer without end is cut off', async () => {
  answers['GET /containers/json'] = (_request, response) => {
    const flood = (): void => {
      while (response.write(Buffer.alloc(2 ** 20, ' ')));
    }
    response.on('drain', flood)
    flood()
  }
  await assert.rejects(create().executor.list(), /longer than \d+ bytes/)
})

test('a call given up throws the reason', async () => {
  const controller = new AbortController()
  answers['GET /containers/json'] = () => controller.abort(new Error('enough'))
  await assert.rejects(create().executor.list({ signal: controller.signal }), /enough/)
})

test('a pull tells its progress by layers, and its error names the image', async () => {
  const lines = [
    { status: 'Pulling from app', id: 'latest' },
    { status: 'Pulling fs layer', id: 'a' },
    { status: 'Pulling fs layer', id: 'b' },
    { status: 'Downloading', id: 'a', progressDetail: { current: 50, total: 100 } },
    { status: 'Download complete', id: 'a' },
    { status: 'Pull complete', id: 'a' },
    { error: 'disk is full', errorDetail: { message: 'disk is full' } }
  ]
  answers['POST /images/create'] = (_request, response) => {
    for (const line of lines) response.write(`${JSON.stringify(line)}\r\n`)
    response.end()
  }
  const seen: StartProgress[] = []
  const start = create().executor.start(request('example.org:5000/app'), {
    onProgress: progress => void seen.push(progress)
  })
  await assert.rejects(start, {
    code: 'EXECUTOR_IMAGE',
    message: "image 'example.org:5000/app:latest' cannot be pulled: disk is full"
  })
  assert.ok(asked.includes('POST /v1.41/images/create?fromImage=example.org%3A5000%2Fapp&tag=latest'))
  const fractions = seen.map(progress => (progress.step === 'pulling' ? progress.fraction : undefined))
  assert.deepEqual(fractions, [undefined, 0, 0.2, 0.4, 0.5])
})

test('a pull that stands still is given up', async () => {
  const pulling = Promise.withResolvers<void>()
  answers['POST /images/create'] = (_request, response) => {
    response.write('{"status":"Pulling"}\n')
    pulling.resolve()
  }
  const { clock, executor } = create()
  const start = assert.rejects(executor.start(request('app')), {
    code: 'EXECUTOR_IMAGE',
    message: /nothing came for 120 s/
  })
  await pulling.promise
  await clock.advance(1)
  await clock.advance(120_000)
  await clock.advance(120_000)
  await start
})

test('pull progress never goes back, and takes nonsense', () => {
  const fractions: number[] = []
  const progress = new PullProgress(fraction => void fractions.push(fraction))
  const push = (value: unknown) => progress.push(Buffer.from(`${JSON.stringify(value)}\n`))
  push({ status: 'Downloading', id: 'a', progressDetail: { current: 900, total: 100 } })
  for (let layer = 0; layer < 1_000; layer++) push({ status: 'Pulling fs layer', id: `l${layer}` })
  push({ status: 'Downloading', id: 'a', progressDetail: { current: -5, total: 0 } })
  progress.push(Buffer.from('not json\n{"status":5}\n[]\nnull\n'))
  progress.end()
  assert.deepEqual(fractions, [0.8])
  assert.equal(progress.error, undefined)
})
