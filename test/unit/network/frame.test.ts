import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeFrame, FrameReader } from '../../../src/network/libp2p/frame.ts'
import { concatBytes, hexToBytes } from '../../../src/utils/index.ts'

describe('the frame of a message', () => {
  it('is 8 bytes of length, little endian, and the payload', () => {
    assert.deepEqual(encodeFrame(hexToBytes('aabbcc')), hexToBytes('0300000000000000aabbcc'))
    assert.deepEqual(encodeFrame(new Uint8Array(0)), new Uint8Array(8))
  })

  it('is read back from pieces of any size', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 20_000 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }),
        (payload, sizes) => {
          const frame = encodeFrame(payload)
          const reader = new FrameReader()
          let result: Uint8Array | undefined
          for (let offset = 0, round = 0; offset < frame.length; round++) {
            assert.equal(result, undefined, 'the payload is answered with the last byte only')
            const size = sizes[round % sizes.length] ?? 1
            const piece = frame.slice(offset, offset + size)
            result = reader.push(piece)
            piece.fill(0xee)
            offset += size
          }
          assert.deepEqual(result, payload)
          assert.equal(reader.received, frame.length)
        }
      )
    )
  })

  it('takes a payload of exactly 1 MiB', () => {
    const payload = new Uint8Array(1_048_576).fill(7)
    assert.deepEqual(new FrameReader().push(encodeFrame(payload)), payload)
  })

  it('refuses a claimed length over 1 MiB as soon as the header is there', () => {
    for (const header of ['0100100000000000', 'ffffffffffffffff', '0000000000000001']) {
      const reader = new FrameReader()
      const bytes = hexToBytes(header)
      assert.equal(reader.push(bytes.subarray(0, 7)), undefined)
      assert.throws(() => reader.push(bytes.subarray(7)), /at most 1048576/)
    }
  })

  it('refuses more bytes than were claimed', () => {
    const frame = concatBytes(encodeFrame(hexToBytes('aabb')), hexToBytes('cc'))
    assert.throws(() => new FrameReader().push(frame), /more than the 2 bytes/)
    const reader = new FrameReader()
    reader.push(frame.subarray(0, 9))
    assert.throws(() => reader.push(frame.subarray(9)), /more than the 2 bytes/)
    const empty = new FrameReader()
    assert.throws(() => empty.push(new Uint8Array(9)), /more than the 0 bytes/)
  })

  it('does not allocate what a peer only claims', () => {
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 500 }, () => {
      const reader = new FrameReader()
      reader.push(hexToBytes('0000100000000000ff'))
      return reader
    })
    assert.ok(process.memoryUsage().arrayBuffers - before < 50_000_000)
    assert.equal(readers.length, 500)
  })
})
