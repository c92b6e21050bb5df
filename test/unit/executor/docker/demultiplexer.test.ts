import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Demultiplexer } from '../../../../src/executor/docker/demultiplexer.ts'

function frame(stream: number, text: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

test('frames come out the same however the bytes are cut', () => {
  const bytes = Buffer.concat([frame(1, 'out one'), frame(2, 'err'), frame(1, ''), frame(1, ' two')])
  for (let size = 1; size <= bytes.length; size++) {
    const demultiplexer = new Demultiplexer()
    const texts = { stdout: '', stderr: '' }
    for (let at = 0; at < bytes.length; at += size) {
      for (const part of demultiplexer.push(bytes.subarray(at, at + size)))
        texts[part.stream] += part.bytes.toString()
    }
    assert.deepEqual(texts, { stdout: 'out one two', stderr: 'err' }, `in pieces of ${size}`)
  }
})

test('bytes that are no frames are refused, and a huge length takes no memory', () => {
  assert.throws(
    () => new Demultiplexer().push(Buffer.from('plain text, as a terminal gives it')),
    /multiplexed/
  )
  assert.throws(() => new Demultiplexer().push(Buffer.from([3, 0, 0, 0, 0, 0, 0, 1, 65])), /multiplexed/)
  const [part] = new Demultiplexer().push(Buffer.from([1, 0, 0, 0, 255, 255, 255, 255, 65]))
  assert.equal(part?.bytes.toString(), 'A')
})
