import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRNO, WASI_FUNCTIONS } from '../../../../src/executor/wasm/wasi/constants.ts'
import { ProcessEnd, type WasiHost } from '../../../../src/executor/wasm/wasi/host.ts'
import { createPreview1 } from '../../../../src/executor/wasm/wasi/preview1.ts'
import { bytesToUtf8, utf8ToBytes } from '../../../../src/utils/index.ts'

/** WASI over a memory of one page and a clock that only sleep moves. */
function setUp(stdin = '') {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const view = new DataView(memory.buffer)
  const output = { 1: '', 2: '' }
  const exits: number[] = []
  const sleeps: bigint[] = []
  let nowNs = 1_000_000n
  const host: WasiHost = {
    args: ['program', 'é'],
    environment: ['A=1'],
    stdin: utf8ToBytes(stdin),
    write: (stream, bytes) => {
      output[stream] += bytesToUtf8(bytes)
    },
    realtimeNs: () => 1_767_225_600_000_000_000n + nowNs,
    monotonicNs: () => nowNs,
    sleepNs: ns => {
      sleeps.push(ns)
      nowNs += ns
    },
    random: length => new Uint8Array(length).fill(7),
    exit: code => void exits.push(code)
  }
  const wasi = createPreview1(host, () => memory)
  const call = (name: string, ...values: (number | bigint)[]): number => wasi[name]?.(...values) ?? -1
  const iovec = (at: number, ...spans: [number, number][]) => {
    for (const [index, [address, length]] of spans.entries()) {
      view.setUint32(at + index * 8, address, true)
      view.setUint32(at + index * 8 + 4, length, true)
    }
  }
  const text = (at: number, length: number) => bytesToUtf8(new Uint8Array(memory.buffer, at, length))
  return { memory, view, output, exits, sleeps, call, iovec, text }
}

/** Writes a subscription to a clock. */
function clock(view: DataView, at: number, userdata: bigint, id: number, timeoutNs: bigint, flags = 0): void {
  view.setBigUint64(at, userdata, true)
  view.setUint8(at + 8, 0)
  view.setUint32(at + 16, id, true)
  view.setBigUint64(at + 24, timeoutNs, true)
  view.setUint16(at + 40, flags, true)
}

test('every function a module may import is there', () => {
  const { call } = setUp()
  for (const name of WASI_FUNCTIONS) {
    if (name.startsWith('proc_')) continue
    assert.notEqual(call(name, 99, 0, 0, 0, 0, 0, 0, 0, 0), -1, name)
  }
})

test('arguments are counted in bytes, not in letters', () => {
  const { call, view, text } = setUp()
  assert.equal(call('args_sizes_get', 0, 4), ERRNO.success)
  assert.deepEqual([view.getUint32(0, true), view.getUint32(4, true)], [2, 11])
  assert.equal(call('args_get', 16, 64), ERRNO.success)
  assert.deepEqual([view.getUint32(16, true), view.getUint32(20, true)], [64, 72])
  assert.equal(text(64, 11), 'program\0é\0')
})

test('scattered output is written in order, and its size told', () => {
  const { call, view, output, iovec, memory } = setUp()
  new Uint8Array(memory.buffer).set(utf8ToBytes('hello world'), 100)
  iovec(0, [106, 5], [100, 1], [0, 0])
  assert.equal(call('fd_write', 1, 0, 3, 200), ERRNO.success)
  assert.equal(output[1], 'worldh')
  assert.equal(view.getUint32(200, true), 6)
})

test('streams can be closed, and only be used in their direction', () => {
  const { call, iovec } = setUp('input')
  iovec(0, [100, 4])
  assert.equal(call('fd_write', 0, 0, 1, 200), ERRNO.badf)
  assert.equal(call('fd_read', 1, 0, 1, 200), ERRNO.badf)
  assert.equal(call('fd_close', 1), ERRNO.success)
  assert.equal(call('fd_write', 1, 0, 1, 200), ERRNO.badf)
  assert.equal(call('fd_close', 1), ERRNO.badf)
  assert.equal(call('fd_close', 3), ERRNO.badf)
})

test('an absurd number of buffers is refused before anything is allocated', () => {
  const { call } = setUp()
  assert.equal(call('fd_write', 1, 0, -1, 200), ERRNO.inval)
  assert.equal(call('fd_read', 0, 0, -1, 200), ERRNO.inval)
  assert.equal(call('poll_oneoff', 0, 0, -1, 200), ERRNO.inval)
  assert.equal(call('poll_oneoff', 0, 0, 0, 200), ERRNO.inval)
})

test('polling a clock sleeps once, for as long as was asked', () => {
  const { call, view, sleeps } = setUp()
  clock(view, 0, 42n, 1, 5_000_000n)
  assert.equal(call('poll_oneoff', 0, 256, 1, 512), ERRNO.success)
  assert.deepEqual(sleeps, [5_000_000n])
  assert.equal(view.getUint32(512, true), 1)
  assert.equal(view.getBigUint64(256, true), 42n)
})

test('of two clocks only the one that is due is told; points in time work for both clocks', () => {
  const { call, view, sleeps } = setUp()
  clock(view, 0, 1n, 1, 9_000_000n)
  clock(view, 48, 2n, 0, 1_767_225_600_000_000_000n + 4_000_000n, 1)
  assert.equal(call('poll_oneoff', 0, 256, 2, 512), ERRNO.success)
  assert.deepEqual(sleeps, [3_000_000n])
  assert.equal(view.getUint32(512, true), 1)
  assert.equal(view.getBigUint64(256, true), 2n)
})

test('a time in the past and a stream are ready without sleep; descriptors that are none say so', () => {
  const { call, view, sleeps } = setUp('abc')
  clock(view, 0, 1n, 1, 5n, 1)
  view.setUint8(48 + 8, 1)
  view.setUint32(48 + 16, 0, true)
  view.setUint8(96 + 8, 2)
  view.setUint32(96 + 16, 9, true)
  assert.equal(call('poll_oneoff', 0, 256, 3, 512), ERRNO.success)
  assert.deepEqual(sleeps, [])
  assert.equal(view.getUint32(512, true), 3)
  assert.equal(view.getBigUint64(256 + 32 + 16, true), 3n, 'bytes to read')
  assert.equal(view.getUint16(256 + 64 + 8, true), ERRNO.badf)
})

test('exits are told to the host before the module is unwound, and never become success', () => {
  const { call, exits } = setUp()
  assert.throws(() => call('proc_exit', 256), ProcessEnd)
  assert.throws(() => call('proc_exit', -1), ProcessEnd)
  assert.throws(() => call('proc_exit', 0), ProcessEnd)
  assert.throws(() => call('proc_raise', 6), ProcessEnd)
  assert.deepEqual(exits, [255, 255, 0, 134])
})

test('randomness fills what was asked and nothing else', () => {
  const { call, memory } = setUp()
  assert.equal(call('random_get', 10, 3), ERRNO.success)
  assert.deepEqual([...new Uint8Array(memory.buffer, 9, 5)], [0, 7, 7, 7, 0])
})
