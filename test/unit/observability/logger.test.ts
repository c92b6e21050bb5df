import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  combineLoggers,
  createLogger,
  type LoggerOptions,
  nullLogger,
  parseLogLevel
} from '../../../src/observability/index.ts'
import { VirtualClock } from '../../../src/utils/index.ts'

function setUp(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  const log = createLogger(
    { clock: new VirtualClock(), write: line => void lines.push(line) },
    { level: 'debug', ...options }
  )
  return { log, lines, last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '{}') }
}

describe('a log line', () => {
  it('is one JSON object with time, level, message and fields in this order', () => {
    const { log, lines } = setUp()
    log.info('peer connected', { peer: 'a', count: 2 })
    assert.deepEqual(lines, [
      '{"timestamp":"2026-01-01T00:00:00.000Z","level":"INFO","msg":"peer connected","peer":"a","count":2}'
    ])
  })

  it('is written from the level on that is set, also when it changes later, children included', () => {
    const { log, lines } = setUp({ level: 'warn' })
    const child = log.child({ component: 'x' })
    log.info('no')
    child.debug('no')
    child.warn('yes')
    log.error('yes')
    assert.equal(lines.length, 2)
    log.level = 'debug'
    child.debug('yes')
    assert.equal(lines.length, 3)
  })

  it('carries the fields of its ancestors; the nearest wins', () => {
    const { log, last } = setUp({ fields: { did: 'd', a: 1 } })
    log.child({ component: 'x', a: 2 }).child({ b: 3 }).info('m', { a: 4 })
    const { did, component, a, b } = last()
    assert.deepEqual([did, component, a, b], ['d', 'x', 4, 3])
  })

  it('keeps its own names when a field has one of them', () => {
    const { log, last } = setUp()
    log.info('message', { msg: 'x', level: 'y', timestamp: 'z' })
    assert.deepEqual(last(), {
      timestamp: '2026-01-01T00:00:00.000Z',
      level: 'INFO',
      msg: 'message',
      msg_: 'x',
      level_: 'y',
      timestamp_: 'z'
    })
  })

  it('stays one line without active characters, whatever strangers send', () => {
    const { log, lines, last } = setUp()
    const hostile = 'a\nb\r\u001b[2J\u0000\u007f\u009b\u2028\u202e\ufeff\u{1F600}\ud800"\\'
    log.info(hostile, { [hostile]: hostile })
    const line = lines[0] ?? ''
    assert.doesNotMatch(line, /[\p{Cc}\u2028\u202e\ufeff]/u)
    assert.equal(last()['msg'], hostile.toWellFormed())
  })

  it('keeps bounds of length, depth and number', () => {
    const { log, lines, last } = setUp()
    let deep: unknown = 'bottom'
    for (let level = 0; level < 10_000; level++) deep = { deep }
    const many = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`k${index}`, 'x'.repeat(100_000)])
    )
    log.info('x'.repeat(1_000_000), { deep, list: Array(100_000).fill(1), ...many })
    assert.ok((lines[0] ?? '').length < 17_000)
    assert.match(JSON.stringify(last()['deep']), /too deep/)
    assert.ok(Number(last()['fields_left_out']) > 0)
  })

  it('shows what JSON cannot', () => {
    const { log, last } = setUp()
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    log.info('m', {
      big: 2n ** 70n,
      bytes: new Uint8Array(5),
      nan: Number.NaN,
      none: undefined,
      nothing: null,
      map: new Map([['a', 1]]),
      set: new Set([1]),
      date: new Date(0),
      symbol: Symbol('s'),
      throws: {
        get x() {
          throw new Error('getter')
        }
      },
      circle
    })
    const { big, bytes, nan, nothing, map, set, date, symbol, throws, circle: shown, ...rest } = last()
    assert.deepEqual(
      [big, bytes, nan, nothing, map, set, date, symbol, throws],
      [
        '1180591620717411303424',
        '[5 bytes]',
        'NaN',
        null,
        { a: 1 },
        [1],
        '1970-01-01T00:00:00.000Z',
        'Symbol(s)',
        '[unreadable]'
      ]
    )
    assert.match(JSON.stringify(shown), /too deep/)
    assert.deepEqual(Object.keys(rest), ['timestamp', 'level', 'msg'])
  })

  it('tells an error with its code and causes, without stacks', () => {
    const { log, last } = setUp()
    log.error('failed', {
      error: new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ENOENT' }) })
    })
    assert.deepEqual(last()['error'], {
      name: 'Error',
      message: 'outer',
      cause: { name: 'Error', message: 'inner', code: 'ENOENT' }
    })
  })
})

describe('redaction', () => {
  for (const name of [
    'passphrase',
    'DMS_PASSPHRASE',
    'userPassword',
    'private_key',
    'privateKey',
    'apiKey',
    'api-key',
    'secret',
    'token',
    'tokens',
    'Authorization',
    'envelope',
    'actorKey',
    'mnemonic',
    'cookie'
  ]) {
    it(`hides the field '${name}' at every depth`, () => {
      const { log, lines } = setUp()
      log.info('m', {
        [name]: 'hunter2',
        inner: { [name]: { deeper: 'hunter2' } },
        list: [{ [name]: ['hunter2'] }],
        map: new Map([[name, 'hunter2']])
      })
      log.child({ [name]: 'hunter2' }).info('m')
      for (const line of lines) {
        assert.doesNotMatch(line, /hunter2/)
        assert.match(line, /\[redacted\]/)
      }
    })
  }

  it('leaves counts and ordinary names alone', () => {
    const { log, last } = setUp()
    log.info('m', { tokens: 3, keyName: 'user', publicKey: 'p', monkey: 'm' })
    const { tokens, keyName, publicKey, monkey } = last()
    assert.deepEqual([tokens, keyName, publicKey, monkey], [3, 'user', 'p', 'm'])
  })
})

describe('the pretty form', () => {
  it('is short, and quotes only what needs it', () => {
    const { log, lines } = setUp({ format: 'pretty' })
    log.warn('disk is nearly full', { free: 12, path: '/data/x', reason: 'two words' })
    assert.deepEqual(lines, [
      '00:00:00.000 WARN  disk is nearly full  free=12 path=/data/x reason="two words"'
    ])
  })

  it('has colours only when told', () => {
    const { log, lines } = setUp({ format: 'pretty', colour: true })
    log.error('m')
    assert.ok(lines[0]?.includes('\u001b[31mERROR\u001b[0m'))
  })

  it('shows nothing a terminal would act on', () => {
    const { log, lines } = setUp({ format: 'pretty' })
    log.info('a\u001b[2Jb\nc\u202e "q" \\', { 'k\n': '\u001b[2J\u009b' })
    assert.doesNotMatch(lines[0] ?? '', /[\p{Cc}\u202e]/u)
    assert.match(lines[0] ?? '', /"q"/)
  })
})

describe('loggers', () => {
  it('never throw, whatever the sink does', () => {
    const write = (): void => {
      throw new Error('ENOSPC')
    }
    createLogger({ clock: new VirtualClock(), write }, { level: 'debug' }).error('m')
  })

  it('combine: each line goes to all, children too', () => {
    const [first, second] = [setUp(), setUp({ level: 'error' })]
    combineLoggers(first.log, second.log).child({ a: 1 }).info('m')
    assert.equal(first.last()['a'], 1)
    assert.equal(second.lines.length, 0)
  })

  it('may write nothing', () => {
    nullLogger.child({ a: 1 }).error('m')
  })

  it('take the level names of the existing system', () => {
    assert.deepEqual(
      ['INFO', 'Warn', 'warning', 'DPANIC', 'fatal', ' debug ', 'nonsense'].map(parseLogLevel),
      ['info', 'warn', 'warn', 'error', 'error', 'debug', 'info']
    )
  })
})
