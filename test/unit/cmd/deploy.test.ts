/** The story of a deployment, its verdict and how it is shown. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ApiUnreachableError } from '../../../src/api/client/index.ts'
import { deploymentEvents } from '../../../src/cmd/deploy/follow.ts'
import { createProgress } from '../../../src/cmd/deploy/progress.ts'
import { type DeploymentEvent, Story } from '../../../src/cmd/deploy/story.ts'
import { judge } from '../../../src/cmd/deploy/verdict.ts'
import type { NodeClient } from '../../../src/cmd/deployments/connect.ts'
import { VirtualClock } from '../../../src/utils/index.ts'
import { MemoryTerminal } from './harness.ts'

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')
let sequence = 0
const event = (type: string, data: Record<string, unknown>): DeploymentEvent => ({
  sequence: ++sequence,
  atMs: sequence * 1000,
  type,
  data
})
const status = (name: string, error?: unknown) =>
  event('status', { status: name, ...(error ? { error } : {}) })
const allocation = (name: string, state: string, more: Record<string, unknown> = {}) =>
  event('allocation', {
    allocation: name,
    node: name.split('.')[0],
    peer: '12D3KooWLYnqpr5jnTXR',
    status: state,
    ...more
  })

function story(...events: DeploymentEvent[]): { story: Story; news: string[] } {
  const told = new Story()
  return { story: told, news: events.flatMap(each => told.apply(each)) }
}

describe('the story of a deployment', () => {
  it('is told once for each change, from bids to exit code', () => {
    const { news } = story(
      status('Preparing'),
      event('bids', { node: 'n', count: 1, answered: 2, subscribers: 3 }),
      event('declined', { peer: '12D3KooWLYnqpr5jnTXR', refusal: { code: 'X', message: 'no room' } }),
      event('candidate', { assignment: { n: 'peer' } }),
      event('committed', { node: 'n', peer: 'peer' }),
      allocation('n.a', 'starting', { detail: 'pulling busybox 43 %' }),
      allocation('n.a', 'starting', { detail: 'pulling busybox 43 %' }),
      allocation('n.a', 'failed', { exit_code: 3, reason: 'it broke' }),
      status('Failed')
    )
    assert.deepEqual(news, [
      'n: 1 bid, 2 of 3 providers answered',
      'provider 12D3…5jnTXR declined: no room',
      'n: chosen peer',
      'n: committed at peer',
      'n.a: pulling busybox 43 %',
      'n.a: failed: it broke, exit code 3',
      'deployment is Failed'
    ])
  })

  it('forgets what was given back when a new round begins', () => {
    const { story: told } = story(status('Preparing'), allocation('n.a', 'running'), status('Preparing'))
    assert.deepEqual([told.allocations, told.placing], [[], []])
  })

  it('makes text from other machines harmless', () => {
    const { news, story: told } = story(allocation('n.\u001b[2J', 'run\u0007ning', { reason: 'a\nb' }))
    assert.deepEqual(news, ['n.\\x1b[2J: run\\x07ning: a; b'])
    assert.equal(told.allocations[0]?.name, 'n.\\x1b[2J')
  })

  it('survives events that make no sense', () => {
    const { story: told } = story(
      event('allocation', {}),
      event('candidate', { assignment: 5 }),
      event('bids', {}),
      event('new', { x: 1 }),
      event('status', {})
    )
    assert.equal(told.allocations.length, 0)
  })
})

describe('the verdict on a deployment', () => {
  const done = allocation('n.a', 'completed', { exit_code: 0 })
  const failed = allocation('n.b', 'failed', { exit_code: 1 })
  const tree = (...codes: string[]) => ({
    code: 'DEPLOYMENT_NOT_PLACEABLE',
    message: 'x',
    causes: codes.map(code => ({ code, message: 'x' }))
  })
  for (const [name, events, tasksOnly, exitCode] of [
    ['waits while services come up', [status('Provisioning')], false, undefined],
    ['is 0 when services run', [allocation('n.a', 'running'), status('Running')], false, 0],
    ['waits for running tasks', [allocation('n.a', 'running'), status('Running')], true, undefined],
    ['is 0 when all tasks have succeeded', [done, status('Completed')], true, 0],
    ['is 1 when all tasks have failed', [failed, status('Completed')], true, 1],
    ['is 5 when some tasks have failed', [done, failed, status('Completed')], true, 5],
    ['is 5 when some tasks had failed before the deployment did', [done, failed, status('Failed')], true, 5],
    [
      'is 5 when a service runs and another failed',
      [allocation('n.a', 'running'), failed, status('Running')],
      false,
      5
    ],
    [
      'is 1 when nothing could be placed',
      [status('Failed', tree('RESOURCES_CPU_LACKING', 'UCAN_NOT_ANCHORED'))],
      true,
      1
    ],
    ['is 3 when everybody refused by capability', [status('Failed', tree('UCAN_NOT_ANCHORED'))], true, 3],
    ['is 4 when the time ran out', [status('Failed', { code: 'DEPLOYMENT_TIME', message: 'x' })], true, 4],
    ['is 1 when somebody else shuts it down', [status('ShuttingDown')], false, 1]
  ] as const) {
    it(name, () => assert.equal(judge(story(...events).story, tasksOnly)?.exitCode, exitCode))
  }
})

describe('progress', () => {
  it('is plain lines with their time when standard error is no terminal', () => {
    const terminal = new MemoryTerminal()
    const told = new Story()
    const progress = createProgress(terminal, told, true)
    const first = { ...allocation('n.a', 'running'), atMs: 0 }
    progress.update(first, told.apply(first))
    assert.equal(terminal.talk, '1970-01-01T00:00:00.000Z n.a: running\n')
  })

  it('redraws its lines in place on a terminal, none wider than the screen', () => {
    const terminal = new MemoryTerminal()
    terminal.errIsTerminal = true
    terminal.columns = 40
    const told = new Story()
    const progress = createProgress(terminal, told, true)
    for (const each of [
      allocation('n.a', 'running'),
      allocation('n.b', 'failed', { reason: 'x'.repeat(100) })
    ])
      progress.update(each, told.apply(each))
    const frames = terminal.talk.split('\u001b[J')
    assert.ok(frames[1]?.endsWith('\u001b[2A'), 'goes up over the two lines of the first frame')
    const last = (frames[2] ?? '').replaceAll(COLOUR, '').trimEnd().split('\n')
    assert.deepEqual(
      last.map(line => line.length <= 40),
      [true, true, true]
    )
    assert.ok(terminal.talk.includes('\u001b[31m'), 'what failed is red')
  })
})

describe('following a deployment', () => {
  const wire = (...numbers: number[]) => ({
    events: numbers.map(number => ({
      sequence: number,
      at_ms: number,
      type: 'status',
      data: { status: 'Running' }
    })),
    error: ''
  })

  it('asks from the last event on, and neither loses nor doubles one', async () => {
    const asked: unknown[] = []
    const answers = [wire(1, 2), wire(2, 3), wire()]
    const node: Pick<NodeClient, 'call'> = {
      call: async (_behavior, payload) => {
        asked.push((payload as { after: number }).after) // what deploymentEvents sends
        return answers.shift() ?? wire(4)
      }
    }
    const seen: number[] = []
    for await (const each of deploymentEvents(
      { node, clock: new VirtualClock() },
      'id',
      new AbortController().signal
    )) {
      seen.push(each.sequence)
      if (each.sequence === 4) break
    }
    assert.deepEqual(
      [seen, asked],
      [
        [1, 2, 3, 4],
        [0, 2, 3, 3]
      ]
    )
  })

  it('waits for a daemon that is away, and goes on where it stopped', async () => {
    const clock = new VirtualClock()
    let calls = 0
    const node: Pick<NodeClient, 'call'> = {
      call: async () => {
        if (++calls === 2) throw new ApiUnreachableError('gone')
        return wire(calls)
      }
    }
    const seen: number[] = []
    const following = (async () => {
      for await (const each of deploymentEvents({ node, clock }, 'id', new AbortController().signal)) {
        seen.push(each.sequence)
        if (seen.length === 2) return
      }
    })()
    await clock.advance(10_000)
    await following
    assert.deepEqual(seen, [1, 3])
  })

  it('ends with what the node says is wrong', async () => {
    const node: Pick<NodeClient, 'call'> = { call: async () => ({ events: [], error: 'no such deployment' }) }
    const iterator = deploymentEvents(
      { node, clock: new VirtualClock() },
      'id',
      new AbortController().signal
    )[Symbol.asyncIterator]()
    await assert.rejects(iterator.next(), /no such deployment/)
  })
})
