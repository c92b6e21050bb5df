/** The demo, interrupted: by Ctrl-C it ends with exit code 130 and leaves nothing behind. CI runs it to its end. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { ask, hasDocker } from '../../scripts/lab/docker.ts'
import { EXAMPLES, NODE_BINARY } from '../../scripts/lab/lab.ts'
import { containersOf, wasmRunnersOf } from '../../scripts/lab/workloads.ts'
import { temporaryDirectory } from '../utils/index.ts'
import { until } from './support.ts'

const DEMO = join(dirname(EXAMPLES), 'scripts', 'demo', 'main.ts')

/** A machine that is busy takes its time up to the deployments. Milliseconds. */
const MIDDLE_LIMIT_MS = 120_000
/** Taking down three daemons. Milliseconds. */
const END_LIMIT_MS = 30_000

class Demo {
  readonly #child: ChildProcess
  readonly ended: Promise<number | null>
  output = ''

  /** In a process group of its own, with its own directory for temporary files. */
  constructor(temporary: string) {
    this.#child = spawn(NODE_BINARY, [DEMO], {
      detached: true,
      env: { ...process.env, TMPDIR: temporary, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    this.ended = new Promise(resolve => this.#child.once('close', resolve))
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', chunk => {
        this.output += String(chunk)
      })
  }

  async untilPrinted(text: RegExp): Promise<void> {
    await until(
      `the demo prints ${text}`,
      () => {
        assert.equal(this.#child.exitCode, null, `the demo ended early:\n${this.output}`)
        return text.test(this.output)
      },
      MIDDLE_LIMIT_MS
    )
  }

  /** To the process alone, or to its whole group as a terminal does. */
  async interrupt(whom: 'process' | 'group'): Promise<number | null> {
    const pid = this.#child.pid ?? 0
    process.kill(whom === 'group' ? -pid : pid, 'SIGINT')
    const guard = setTimeout(() => process.kill(-pid, 'SIGKILL'), END_LIMIT_MS)
    try {
      return await this.ended
    } finally {
      clearTimeout(guard)
    }
  }
}

/** Command lines of processes that work below a directory. */
async function processesIn(directory: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(
    ids.map(async id => {
      const place = await readlink(`/proc/${id}/cwd`).catch(() => '')
      return place.startsWith(directory) ? await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '') : ''
    })
  )
  return lines.filter(line => line !== '')
}

/** Ids of all images, those without a name included. */
async function images(): Promise<string[]> {
  const answer = await ask('GET', '/images/json')
  const list: unknown = answer?.status === 200 ? JSON.parse(answer.body) : []
  return Array.isArray(list) ? list.map(image => String(image?.Id)).sort() : []
}

async function assertNothingLeft(demo: Demo, temporary: string): Promise<void> {
  assert.match(demo.output, /interrupted by SIGINT; everything was taken down/)
  assert.doesNotMatch(demo.output, /\n\s+at /)
  assert.deepEqual(await readdir(temporary), [])
  assert.deepEqual(await processesIn(temporary), [])
  assert.deepEqual(await wasmRunnersOf(temporary), [])
  const peers = new Set(demo.output.match(/\b12D3KooW\w{44}\b/g) ?? [])
  assert.deepEqual((await Promise.all([...peers].map(containersOf))).flat(), [])
}

describe('the demo', () => {
  it('interrupted while it makes identities, ends with 130 and leaves nothing behind', async () => {
    await using temporary = await temporaryDirectory()
    const demo = new Demo(temporary.path)
    await demo.untilPrinted(/nunet cap new/)
    assert.equal(await demo.interrupt('process'), 130, demo.output)
    await assertNothingLeft(demo, temporary.path)
  })

  it('interrupted while workloads run, ends with 130 and leaves nothing behind', async () => {
    await using temporary = await temporaryDirectory()
    const imagesBefore = await images()
    const demo = new Demo(temporary.path)
    if (await hasDocker()) {
      await demo.untilPrinted(/GET http:\/\/127\.0\.0\.1:\d+\/ → hello|SKIPPED the Docker part/)
    } else {
      await demo.untilPrinted(/two tasks on two machines/)
      await until('a workload runs', async () => (await wasmRunnersOf(temporary.path)).length > 0)
    }
    assert.equal(await demo.interrupt('group'), 130, demo.output)
    await assertNothingLeft(demo, temporary.path)
    assert.deepEqual(await images(), imagesBefore)
  })
})
