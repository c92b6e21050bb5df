import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { ApiError, errorAnswer, STATUS_OF } from '../../../src/api/errors.ts'
import { checkCaller } from '../../../src/api/guard.ts'
import { TimeLimitError } from '../../../src/utils/index.ts'

function caller(headers: Record<string, string>): IncomingMessage {
  const message = new IncomingMessage(new Socket())
  Object.assign(message.headers, headers)
  return message
}

const allowed = (headers: Record<string, string>, bound = '127.0.0.1'): void =>
  checkCaller(caller(headers), bound)

describe('who may talk to the REST server', () => {
  for (const host of ['localhost', 'LOCALHOST:9999', '127.0.0.1', '127.0.0.1:9999', '[::1]', '[::1]:9999']) {
    it(`host ${host}`, () => allowed({ host }))
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:9999',
    '192.0.2.1',
    '',
    'a b',
    '127.0.0.1@evil',
    '[::1',
    'localhost:99999999'
  ]) {
    it(`not host '${host}'`, () => assert.throws(() => allowed({ host }), { code: 'API_HOST_REFUSED' }))
  }
  it('the address it is bound to', () => allowed({ host: '192.0.2.7:9999' }, '192.0.2.7'))
  it('the name it is bound to', () => allowed({ host: 'node.lan:1' }, 'node.lan'))
  it('any address when bound to all, but no name', () => {
    allowed({ host: '192.0.2.7:9999' }, '0.0.0.0')
    allowed({ host: '[2001:db8::1]:9999' }, '::')
    assert.throws(() => allowed({ host: 'evil.example' }, '0.0.0.0'), { code: 'API_HOST_REFUSED' })
  })

  for (const origin of ['http://localhost:9991', 'http://localhost:9992', 'http://127.0.0.1:9999']) {
    it(`origin ${origin}`, () => allowed({ host: '127.0.0.1:9999', origin }))
  }
  for (const origin of [
    'null',
    'http://evil.example',
    'https://localhost:9991',
    'http://localhost:9991.evil.example',
    'http://localhost:1234',
    'http://127.0.0.1:80',
    ''
  ]) {
    it(`not origin '${origin}'`, () =>
      assert.throws(() => allowed({ host: '127.0.0.1:9999', origin }), { code: 'API_ORIGIN_REFUSED' }))
  }
})

describe('errors of the REST server', () => {
  it('have statuses of the specification', () => {
    assert.deepEqual(errorAnswer(new ApiError('API_NOT_BROADCAST', 'message is not a broadcast message')), {
      status: 400,
      text: 'message is not a broadcast message'
    })
    assert.deepEqual(errorAnswer(new TimeLimitError('x took longer than 5 ms')), {
      status: 408,
      text: 'request timeout'
    })
    assert.deepEqual(errorAnswer(new ApiError('API_SEND_FAILED', 'failed to send')), {
      status: 500,
      text: 'failed to send'
    })
  })
  it('tell nothing about faults of the program', () => {
    assert.deepEqual(errorAnswer(new TypeError('secret path /home/x')), {
      status: 500,
      text: 'internal error'
    })
    assert.deepEqual(errorAnswer('thrown text'), { status: 500, text: 'internal error' })
  })
  it('are statuses a client understands', () => {
    for (const [code, status] of Object.entries(STATUS_OF)) assert.ok(status >= 400 && status < 600, code)
  })
})
