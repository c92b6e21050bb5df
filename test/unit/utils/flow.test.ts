import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Refusal } from '../../../src/types/index.ts'
import {
  BoundedQueue,
  CapacityError,
  Emitter,
  errorCode,
  errorMessage,
  Limiter,
  Mutex,
  ok,
  refusal,
  refuse,
  renderRefusal,
  SyntaxFault,
  unwrap
} from '../../../src/utils/index.ts'

describe('a bounded queue', () => {
  it('hands items on in order and refuses the newest when it is full', async () => {
    const queue = new BoundedQueue<number>(2)
    assert.deepEqual([queue.offer(1), queue.offer(2), queue.offer(3)], [true, true, false])
    assert.equal(queue.size, 2)
    assert.deepEqual([await queue.take(), await queue.take()], [1, 2])
  })

  it('serves waiting consumers in order', async () => {
    const queue = new BoundedQueue<number | undefined>(1)
    const both = Promise.all([queue.take(), queue.take()])
    assert.deepEqual(
      [queue.offer(undefined), queue.offer(2), queue.offer(3), queue.offer(4)],
      [true, true, true, false]
    )
    assert.deepEqual(await both, [undefined, 2])
  })

  it('loses no item to a consumer that gave up', async () => {
    const queue = new BoundedQueue<number>(1)
    const controller = new AbortController()
    const reason = new Error('stop')
    const given = assert.rejects(queue.take({ signal: controller.signal }), reason)
    controller.abort(reason)
    await given
    queue.offer(1)
    assert.equal(await queue.take(), 1)
    await assert.rejects(queue.take({ signal: controller.signal }), reason)
  })
})

describe('a limiter', () => {
  it('runs so many at once, lets so many wait, and refuses the rest', async () => {
    const limiter = new Limiter(2, 1)
    const gates = Array.from({ length: 3 }, () => Promise.withResolvers<number>())
    const runs = gates.map(gate => limiter.run(() => gate.promise))
    assert.equal(limiter.active, 2)
    await assert.rejects(
      limiter.run(async () => 9),
      CapacityError
    )
    for (const [index, gate] of gates.entries()) gate.resolve(index)
    assert.deepEqual(await Promise.all(runs), [0, 1, 2])
    assert.equal(limiter.active, 0)
  })

  it('frees its place when a task fails', async () => {
    const limiter = new Limiter(1, 1)
    const failed = assert.rejects(
      limiter.run(() => Promise.reject(new Error('x'))),
      /x/
    )
    assert.equal(await limiter.run(async () => 1), 1)
    await failed
    assert.equal(limiter.active, 0)
  })
})

describe('a mutex', () => {
  it('runs sections one after another, also after one that failed', async () => {
    const mutex = new Mutex()
    const seen: string[] = []
    const section = (name: string) => async () => {
      seen.push(`${name} in`)
      await Promise.resolve()
      seen.push(`${name} out`)
      if (name === 'a') throw new Error('a failed')
      return name
    }
    const [a, b] = [mutex.run(section('a')), mutex.run(section('b'))]
    await assert.rejects(a, /a failed/)
    assert.equal(await b, 'b')
    assert.deepEqual(seen, ['a in', 'a out', 'b in', 'b out'])
  })
})

describe('an emitter', () => {
  it('calls its listeners in order until they leave', () => {
    const emitter = new Emitter<number>()
    const seen: string[] = []
    const leave = emitter.on(event => {
      seen.push(`a${event}`)
      leave()
    })
    emitter.on(event => void seen.push(`b${event}`))
    emitter.emit(1)
    emitter.emit(2)
    assert.deepEqual(seen, ['a1', 'b1', 'b2'])
    assert.equal(emitter.listenerCount, 1)
  })

  it('waits for the next event that fits, and leaves nothing behind', async () => {
    const emitter = new Emitter<number>()
    const next = emitter.next(event => event > 1)
    emitter.emit(1)
    emitter.emit(2)
    emitter.emit(3)
    assert.equal(await next, 2)
    const controller = new AbortController()
    const given = assert.rejects(
      emitter.next(() => true, controller.signal),
      /stop/
    )
    controller.abort(new Error('stop'))
    await given
    assert.equal(emitter.listenerCount, 0)
  })
})

describe('refusals', () => {
  it('print as a tree', () => {
    const tree = refusal('A', 'top', {
      causes: [
        refusal('B', 'first', { causes: [refusal('C', 'deep')] }),
        refusal('D', 'last', { causes: [refusal('E', 'end')] })
      ]
    })
    assert.equal(
      renderRefusal(tree),
      ['top (A)', '├─ first (B)', '│  └─ deep (C)', '└─ last (D)', '   └─ end (E)'].join('\n')
    )
  })

  it('leave out what is empty', () => {
    assert.deepEqual(refusal('A', 'x', { details: {}, causes: [] }), { code: 'A', message: 'x' })
  })

  it('from a peer cannot drive the terminal, flood it, or exhaust the stack', () => {
    const hostile = renderRefusal({ code: 'A\u001b[2J', message: 'x\ny\u202e\r\u009b' })
    assert.doesNotMatch(hostile, /[\p{Cc}\u202e]/u)
    assert.match(hostile, /x\\u000ay/)
    let deep: Refusal = { code: 'A', message: 'x' }
    for (let level = 0; level < 50_000; level++) deep = { code: 'A', message: 'x', causes: [deep] }
    assert.ok(renderRefusal(deep).split('\n').length <= 40)
    const wide: Refusal = {
      code: 'A',
      message: 'x'.repeat(1_000_000),
      causes: Array(100_000).fill({ code: 'B', message: 'y' })
    }
    assert.ok(renderRefusal(wide).length < 30_000)
  })

  it('become errors at the border', () => {
    assert.equal(
      unwrap(ok(1), () => new Error('no')),
      1
    )
    assert.throws(() => unwrap(refuse(refusal('A', 'x')), ({ message }) => new SyntaxFault(message)), {
      code: 'SYNTAX',
      message: 'x'
    })
  })
})

describe('errors', () => {
  it('have a message and a code whatever was thrown', () => {
    assert.deepEqual([new Error('a'), 'b', undefined, Object.create(null)].map(errorMessage), [
      'a',
      'b',
      'undefined',
      'unknown error'
    ])
    assert.deepEqual([{ code: 'E' }, { code: 1 }, null, 'x', new SyntaxFault('x')].map(errorCode), [
      'E',
      undefined,
      undefined,
      undefined,
      'SYNTAX'
    ])
  })

  it('keep cause, hint and details', () => {
    const cause = new Error('inner')
    const error = new SyntaxFault('outer', { cause, hint: 'do this', details: { at: 1 } })
    assert.deepEqual(
      [error.cause, error.hint, error.details, error.name, error.retryable],
      [cause, 'do this', { at: 1 }, 'SyntaxFault', false]
    )
    assert.equal('cause' in new SyntaxFault('x'), false)
    assert.deepEqual(new SyntaxFault('x').details, {})
  })
})
