/** The parts of the key agent that need no socket: frames, texts that are signed, requests, deadlines, the process table. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MAX_FRAME_LENGTH, MAX_KEYS } from '../../../src/key-agent/constants.ts'
import { FrameReader } from '../../../src/key-agent/frames.ts'
import { KeyRing } from '../../../src/key-agent/key-ring.ts'
import { formatFailure, formatRequest, parseAnswer, parseRequest } from '../../../src/key-agent/protocol.ts'
import { findProcess, isAlive, ownSession } from '../../../src/key-agent/session-leader.ts'
import { isSignable } from '../../../src/key-agent/signable.ts'
import { generateKey, KeyStoreError } from '../../../src/lib/crypto/index.ts'
import { keySigner } from '../../../src/lib/did/index.ts'
import { systemRandom, utf8ToBytes } from '../../../src/utils/index.ts'
import { SleepyClock } from './support.ts'

describe('lines of the key agent', () => {
  it('come whole however they were cut, and leave nothing in the buffers they came in', () => {
    const reader = new FrameReader()
    const chunks = ['{"a"', ':1}\n{"b":', '2}', '\n', '\nx'].map(utf8ToBytes)
    assert.deepEqual(
      chunks.map(chunk => reader.push(chunk)),
      [[], ['{"a":1}'], [], ['{"b":2}'], ['']]
    )
    assert.ok(chunks.every(chunk => chunk.every(byte => byte === 0)))
    assert.equal(reader.isInside, true)
    assert.deepEqual(reader.push(utf8ToBytes('\n')), ['x'])
    assert.equal(reader.isInside, false)
  })

  it('may be as long as the bound and not a byte longer, in one piece or in many', () => {
    const longest = new Uint8Array(MAX_FRAME_LENGTH).fill(0x61)
    assert.equal(
      new FrameReader().push(Buffer.concat([longest, utf8ToBytes('\n')]))[0]?.length,
      MAX_FRAME_LENGTH
    )
    const reader = new FrameReader()
    reader.push(new Uint8Array(MAX_FRAME_LENGTH).fill(0x61))
    assert.throws(() => reader.push(utf8ToBytes('a')), { code: 'KEY_AGENT_REFUSED' })
    assert.equal(reader.isInside, false, 'what was too long is kept')
  })
})

describe('what the key agent signs', () => {
  const SALT = '0123456789abcdef'.repeat(4)
  for (const text of ['dms:token:{"act":"invoke"}', 'dms:token:{"a":"\n"}', `dms:cap-file:${SALT}`]) {
    it(`is ${JSON.stringify(text).slice(0, 40)}`, () => assert.ok(isSignable(utf8ToBytes(text))))
  }
  for (const [what, text] of [
    ['an actor message', 'dms:msg:{"to":{}}'],
    ['a handshake of libp2p', 'noise-libp2p-static-key:0123456789'],
    ['a record of libp2p', '\u000elibp2p-peer-record'],
    ['nothing', ''],
    ['the bare prefix', 'dms:token:'],
    ['a token prefix before something else', 'dms:token:hello'],
    ['a token with something behind it', 'dms:token:{} '],
    ['the prefix in capitals', 'DMS:TOKEN:{}'],
    ['the prefix behind something', ' dms:token:{}'],
    ['a prefix behind a byte order mark', '\ufeffdms:token:{}'],
    ['a short salt', `dms:cap-file:${SALT.slice(1)}`],
    ['a long salt', `dms:cap-file:${SALT}0`],
    ['a salt with a line end', `dms:cap-file:${SALT}\n`],
    ['a salt in capitals', `dms:cap-file:${SALT.toUpperCase()}`],
    ['the fixed text of a wallet', 'get_pubkey']
  ] as const) {
    it(`is not ${what}`, () => assert.equal(isSignable(utf8ToBytes(text)), false))
  }

  it('is not what is no text', () => {
    assert.equal(
      isSignable(Buffer.concat([utf8ToBytes('dms:token:{"'), Uint8Array.of(0xff), utf8ToBytes('"}')])),
      false
    )
  })
})

describe('requests to the key agent', () => {
  const { did } = keySigner(generateKey(systemRandom))

  it('are read as they are written', () => {
    for (const request of [
      { op: 'status' },
      { op: 'stop' },
      { op: 'find', name: 'user' },
      { op: 'sign', name: 'user', did, data: utf8ToBytes('dms:token:{}') },
      { op: 'unlock', name: 'user', passphrase: 'p"\n\u0000😀', lifetimeMs: 5 },
      { op: 'lock', names: ['a', 'b'] }
    ] as const) {
      assert.deepEqual({ ...parseRequest(formatRequest(request)) }, request)
    }
    assert.deepEqual({ ...parseRequest('{"op":"lock"}') }, { op: 'lock', names: undefined })
  })

  for (const line of [
    '',
    'null',
    '[]',
    '"status"',
    '{"op":"status"',
    '{}',
    '{"op":"export","name":"user"}',
    '{"op":"toString"}',
    '{"op":"status","name":"user"}',
    '{"op":"find"}',
    '{"op":"find","name":""}',
    '{"op":"find","name":7}',
    `{"op":"find","name":"${'x'.repeat(256)}"}`,
    '{"op":"find","name":"user","passphrase":"x"}',
    '{"op":"unlock","name":"user"}',
    '{"op":"unlock","name":"user","passphrase":["x"]}',
    `{"op":"unlock","name":"user","passphrase":"${'x'.repeat(4097)}"}`,
    '{"op":"unlock","name":"user","passphrase":"x","lifetimeMs":0}',
    '{"op":"unlock","name":"user","passphrase":"x","lifetimeMs":1.5}',
    '{"op":"unlock","name":"user","passphrase":"x","lifetimeMs":9007199254740993}',
    '{"op":"sign","name":"user","did":"did:key:x"}',
    '{"op":"sign","name":"user","did":"nobody","data":"AAAA"}',
    '{"op":"sign","name":"user","did":"did:key:x","data":"A"}',
    '{"op":"sign","name":"user","did":"did:key:x","data":7}',
    '{"op":"lock","names":"user"}',
    `{"op":"lock","names":[${Array(MAX_KEYS + 1).fill('"a"')}]}`,
    `${'['.repeat(30_000)}`
  ]) {
    it(`are refused: ${line.slice(0, 60)}`, () => {
      assert.throws(() => parseRequest(line), { code: 'KEY_AGENT_REFUSED' })
    })
  }
})

describe('answers of the key agent', () => {
  it('that are none are told as such, whatever they are', () => {
    for (const [op, line] of [
      ['find', ''],
      ['find', '{}'],
      ['find', '{"ok":{"did":"nobody"}}'],
      ['find', '{"ok":null}'],
      ['sign', '{"ok":{"signature":"A"}}'],
      ['sign', '{"ok":{}}'],
      ['lock', '{"ok":{"names":[7]}}'],
      ['unlock', '{"ok":{"name":"user"}}'],
      ['status', '{"ok":{"pid":1,"idleMs":1,"endsAtMs":1,"keys":[{}]}}'],
      ['status', '{"ok":{"pid":-1,"idleMs":1,"endsAtMs":1,"keys":[]}}'],
      ['status', '{"ok":{"pid":1,"idleMs":1,"endsAtMs":1}}']
    ] as const) {
      assert.throws(() => parseAnswer(op, line), { code: 'KEY_AGENT_FAILED' }, line)
    }
  })

  it('that refuse bring code, message and hint', () => {
    const wrong = new KeyStoreError('KEY_PASSPHRASE_WRONG', 'no', { hint: 'again' })
    assert.throws(() => parseAnswer('unlock', formatFailure(wrong)), {
      name: 'KeyStoreError',
      code: 'KEY_PASSPHRASE_WRONG',
      message: 'no',
      hint: 'again'
    })
  })

  it('say nothing of what a fault of the program was about', () => {
    const line = formatFailure(new TypeError('cannot read open sesame'))
    assert.doesNotMatch(line, /sesame/)
    assert.throws(() => parseAnswer('unlock', line), { code: 'KEY_AGENT_FAILED' })
  })

  it('cannot bring a code the client reacts to in another way', () => {
    const line = '{"error":{"code":"KEY_AGENT_ABSENT","message":"go on"}}'
    assert.throws(() => parseAnswer('find', line), { code: 'KEY_AGENT_FAILED', message: 'go on' })
    assert.throws(() => parseAnswer('find', '{"error":{}}'), { code: 'KEY_AGENT_FAILED' })
  })
})

describe('the ring of unlocked keys', () => {
  const signer = keySigner(generateKey(systemRandom))
  const SEALED = Uint8Array.of(1)
  const TIMES = { idleMs: 60_000, lifetimeMs: 150_000 }

  it('drops a key that is not used, and one that is used when its time is over', async () => {
    const clock = new SleepyClock()
    const ring = new KeyRing({ clock })
    ring.add('idle', signer, SEALED, TIMES)
    ring.add('busy', signer, SEALED, TIMES)
    await clock.advance(59_999)
    assert.ok(ring.find('idle'))
    ring.touch('busy')
    await clock.advance(1)
    assert.equal(ring.find('idle'), undefined, 'looking at a key counts as using it')
    for (let round = 0; round < 2; round++) {
      await clock.advance(44_999)
      assert.ok(ring.find('busy'))
      ring.touch('busy')
    }
    await clock.advance(2)
    assert.equal(ring.find('busy'), undefined, 'a key that is used lives for ever')
    assert.equal(ring.size, 0)
  })

  it('counts the time a machine sleeps, when its monotonic clock stands still', () => {
    const clock = new SleepyClock()
    const ring = new KeyRing({ clock })
    ring.add('user', signer, SEALED, TIMES)
    clock.asleepMs = 60_000
    assert.equal(ring.size, 0)
  })

  it('counts the time that passes while the wall clock is set back', async () => {
    const clock = new SleepyClock()
    const ring = new KeyRing({ clock })
    ring.add('user', signer, SEALED, TIMES)
    clock.asleepMs = -3_600_000
    await clock.advance(60_000)
    assert.equal(ring.size, 0)
  })

  it('says until when, the idle end never after the other', async () => {
    const clock = new SleepyClock()
    const ring = new KeyRing({ clock })
    const nowMs = clock.nowMs()
    assert.deepEqual(ring.add('user', signer, SEALED, { idleMs: 60_000, lifetimeMs: 90_000 }), {
      name: 'user',
      did: signer.did,
      unlockedAtMs: nowMs,
      idleUntilMs: nowMs + 60_000,
      endsAtMs: nowMs + 90_000
    })
    await clock.advance(50_000)
    ring.touch('user')
    const [status] = ring.list()
    assert.deepEqual([status?.idleUntilMs, status?.endsAtMs], [nowMs + 90_000, nowMs + 90_000])
  })

  it('holds so many and no more; one of the same name takes its place', () => {
    const ring = new KeyRing({ clock: new SleepyClock() })
    for (let count = 0; count < MAX_KEYS; count++) ring.add(`key${count}`, signer, SEALED, TIMES)
    assert.throws(() => ring.add('more', signer, SEALED, TIMES), { code: 'KEY_AGENT_BUSY' })
    ring.add('key0', signer, SEALED, TIMES)
    assert.equal(ring.size, MAX_KEYS)
    assert.equal(ring.drop('key0'), true)
    assert.equal(ring.drop('key0'), false)
    assert.equal(ring.dropAll().length, MAX_KEYS - 1)
    assert.equal(ring.size, 0)
  })
})

describe('the login session', () => {
  /** proc(5): pid (comm) state ppid pgrp session tty tpgid flags … starttime is field 22. */
  const stat = (comm: string, state: string, session: number, start: number): Uint8Array =>
    utf8ToBytes(
      `77 (${comm}) ${state} 1 77 ${session} 34816 77 4194304 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0\n`
    )
  const files = (content: Uint8Array | undefined) => ({ read: async () => content })

  it('is read from a process whatever its program is called', async () => {
    for (const comm of ['bash', 'a b', ') R 1 1 9 9 (', '']) {
      assert.equal(await ownSession(files(stat(comm, 'S', 42, 1000))), 42, comm)
      assert.deepEqual(await findProcess(files(stat(comm, 'S', 42, 1000)), 77), {
        pid: 77,
        startTicks: '1000'
      })
    }
  })

  it('is over when its leader is gone, is a zombie, or is a later process with its number', async () => {
    const leader = { pid: 77, startTicks: '1000' }
    assert.equal(await isAlive(files(stat('bash', 'S', 77, 1000)), leader), true)
    for (const content of [
      undefined,
      stat('bash', 'Z', 77, 1000),
      stat('bash', 'X', 77, 1000),
      stat('bash', 'S', 77, 1001),
      utf8ToBytes('garbage')
    ]) {
      assert.equal(await isAlive(files(content), leader), false)
    }
    const unreadable = { read: () => Promise.reject(new Error('EACCES')) }
    assert.equal(await isAlive(unreadable, leader), false)
    assert.equal(await ownSession(unreadable), 0)
  })
})
