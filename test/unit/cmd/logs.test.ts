import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ApiUnreachableError } from '../../../src/api/client/index.ts'
import type { NodeClient } from '../../../src/cmd/deployments/connect.ts'
import { findDeployment } from '../../../src/cmd/deployments/find.ts'
import { readLog, tailOffset } from '../../../src/cmd/deployments/log-stream.ts'
import { createLogWriter } from '../../../src/cmd/deployments/log-writer.ts'
import { bytesToBase64, utf8ToBytes, VirtualClock } from '../../../src/utils/index.ts'
import { MemoryTerminal } from './harness.ts'

const SOURCE = { deployment: 'd', allocation: 'n.a', stream: 'stdout' } as const
const signal = new AbortController().signal

/** A node whose log is a text that can grow; it hands out at most `most` bytes at once. */
class LogNode implements Pick<NodeClient, 'call'> {
  text: Uint8Array
  isEnded = true
  readonly most: number
  failures: (Error | string)[] = []

  constructor(text: string, most = 1000) {
    this.text = utf8ToBytes(text)
    this.most = most
  }

  async call(_behavior: string, payload: unknown): Promise<Record<string, unknown>> {
    const failure = this.failures.shift()
    if (failure instanceof Error) throw failure
    if (failure !== undefined) return { Error: failure }
    const { offset, max_bytes: wanted } = payload as { offset: number; max_bytes: number } // what the reader sends
    const data = this.text.subarray(offset, offset + Math.min(wanted, this.most))
    const next = offset + data.length
    return {
      data: bytesToBase64(data),
      offset,
      next_offset: next,
      total_size: this.text.length,
      eof: this.isEnded && next === this.text.length,
      Error: ''
    }
  }
}

async function collect(
  node: LogNode,
  offset: number,
  follow: boolean,
  clock = new VirtualClock()
): Promise<string> {
  let text = ''
  for await (const data of readLog({ node, clock }, SOURCE, { offset, follow, signal }))
    text += new TextDecoder().decode(data)
  return text
}

describe('reading a log', () => {
  it('puts the pieces together', async () =>
    assert.equal(await collect(new LogNode('hello world', 3), 0, false), 'hello world'))
  it('begins where it is told', async () =>
    assert.equal(await collect(new LogNode('hello world', 3), 6, true), 'world'))
  it('ends at once for an empty log', async () => assert.equal(await collect(new LogNode(''), 0, false), ''))
  it('does not wait for more unless it follows', async () => {
    const node = new LogNode('abc')
    node.isEnded = false
    assert.equal(await collect(node, 0, false), 'abc')
  })

  it('goes on without hole or double when the daemon was away or could not tell for a moment', async () => {
    const clock = new VirtualClock()
    const node = new LogNode('hello world', 4)
    node.failures = [new ApiUnreachableError('gone'), 'actor is not running']
    const reading = collect(node, 0, true, clock)
    await clock.advance(30_000)
    assert.equal(await reading, 'hello world')
  })

  it('gives up on a log that is refused for good', async () => {
    const clock = new VirtualClock()
    const node = new LogNode('x')
    node.failures = ['no', 'no', 'no', 'no']
    const reading = collect(node, 0, true, clock)
    reading.catch(() => undefined)
    await clock.advance(30_000)
    await assert.rejects(reading, { code: 'CLI_LOG_UNAVAILABLE' })
    await assert.rejects(
      collect(Object.assign(new LogNode('x'), { failures: ['no'] }), 0, false),
      /cannot read the logs of 'n\.a': no/
    )
  })

  for (const [text, lines, rest] of [
    ['a\nb\nc\n', 1, 'c\n'],
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 1, 'c'],
    ['a\nb\nc\n', 9, 'a\nb\nc\n'],
    ['a\nb\n', 0, ''],
    ['', 3, '']
  ] as const) {
    it(`finds the last ${lines} lines of ${JSON.stringify(text)}`, async () => {
      assert.equal(text.slice(await tailOffset(new LogNode(text), SOURCE, lines, signal)), rest)
    })
  }
})

describe('writing logs', () => {
  it('passes bytes as they are into a pipe', () => {
    const terminal = new MemoryTerminal()
    createLogWriter(terminal, 'stdout', '').write(utf8ToBytes('a\u001b[2J\r'))
    assert.equal(terminal.output, 'a\u001b[2J\r')
  })

  it('names each line of several logs, also when pieces and letters are cut in the middle', () => {
    const terminal = new MemoryTerminal()
    const writer = createLogWriter(terminal, 'stdout', 'n.a | ')
    const bytes = utf8ToBytes('grün\nblau')
    for (const byte of bytes) writer.write(Uint8Array.of(byte))
    assert.equal(terminal.output, 'n.a | grün\n')
    writer.end()
    assert.equal(terminal.output, 'n.a | grün\nn.a | blau\n')
  })

  it('keeps a workload from commanding the terminal', () => {
    const terminal = new MemoryTerminal()
    terminal.errIsTerminal = true
    const writer = createLogWriter(terminal, 'stderr', '')
    writer.write(utf8ToBytes('\u001b[31mred\u001b[0m \u001b]0;x\u0007\n'))
    assert.deepEqual([terminal.output, terminal.talk], ['', '\u001b[31mred\u001b[0m \\x1b]0;x\\x07\n'])
  })
})

describe('finding a deployment', () => {
  const node: Pick<NodeClient, 'call'> = {
    call: async () => ({
      deployments: ['abc1', 'abc2', 'xyz'].map(id => ({ orchestrator_id: id, status: 'Running' }))
    })
  }
  it('takes the beginning of an id', async () => assert.equal((await findDeployment(node, 'x')).id, 'xyz'))
  it('takes a whole id', async () => assert.equal((await findDeployment(node, 'abc1')).id, 'abc1'))
  it('refuses a beginning of several', async () =>
    await assert.rejects(findDeployment(node, 'abc'), /fits 2 deployments: abc1, abc2/))
  it('refuses what is not there', async () =>
    await assert.rejects(findDeployment(node, 'q'), /there is no deployment 'q'/))
  it('refuses nothing at all', async () =>
    await assert.rejects(
      findDeployment({ call: async () => ({ Deployments: { a: 'Running' } }) }, ''),
      /no deployment/
    ))
  it('reads the list of v0.5', async () =>
    assert.equal(
      (await findDeployment({ call: async () => ({ Deployments: { abc: 'Running' } }) }, 'a')).id,
      'abc'
    ))
})
