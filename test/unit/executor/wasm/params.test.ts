import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { MAX_MODULE_BYTES } from '../../../../src/executor/wasm/constants.ts'
import { moduleProblems } from '../../../../src/executor/wasm/module-check.ts'
import { readWasmParams, wasmParamProblems } from '../../../../src/executor/wasm/params.ts'
import { SeededRandom } from '../../../../src/utils/index.ts'
import { moduleBytes, moduleText } from '../../../integration/executor/wasm-support.ts'

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

test('good modules are accepted, plain and compressed, with line breaks in their base64', () => {
  assert.deepEqual(wasmParamProblems({ module: moduleText('hello', 'example') }), [])
  const compressed = base64(gzipSync(moduleBytes('hello', 'example')))
  assert.deepEqual(wasmParamProblems({ module_gz: compressed.replace(/(.{76})/g, '$1\n') }), [])
  const { module } = readWasmParams({ module_gz: compressed })
  assert.deepEqual(Buffer.from(module), moduleBytes('hello', 'example'))
})

test('exactly one module is expected', () => {
  const module = moduleText('hello', 'example')
  assert.match(wasmParamProblems({}).join(), /expected one of/)
  assert.match(wasmParamProblems({ module, module_gz: module }).join(), /expected one of/)
})

test('a compressed module that would unfold without bound is refused', () => {
  const bomb = gzipSync(Buffer.alloc(4 * MAX_MODULE_BYTES))
  assert.ok(bomb.length < 100_000)
  assert.match(wasmParamProblems({ module_gz: base64(bomb) }).join(), /at most 16777216 bytes/)
})

test('every other parameter is checked, and named', () => {
  const module = moduleText('hello', 'example')
  const problem = (more: Record<string, unknown>) => wasmParamProblems({ module, ...more }).join()
  assert.match(problem({ args: 'one' }), /'args'/)
  assert.match(problem({ args: ['a\0b'] }), /'args\.0'.*NUL/)
  assert.match(problem({ args: Array.from({ length: 20 }, () => 'x'.repeat(100_000)) }), /'args'.*1048576/)
  assert.match(problem({ environment: ['1=2'] }), /'environment\.0'/)
  assert.match(problem({ stdin: 5 }), /'stdin'/)
  assert.match(problem({ time_limit: 'soon' }), /'time_limit'/)
  assert.match(wasmParamProblems({ module: '****' }).join(), /base64/)
  assert.match(wasmParamProblems({ module_gz: base64(Buffer.from('no gzip')) }).join(), /gzip/)
})

test('a time limit is read as a duration', () => {
  assert.equal(
    readWasmParams({ module: moduleText('hello', 'example'), time_limit: '30s' }).timeLimitMs,
    30_000
  )
})

test('what a module may not have is named', () => {
  const problem = (name: string) => moduleProblems(moduleBytes(name)).join()
  assert.match(problem('foreign-import'), /imports 'env\.system'; only 'wasi_snapshot_preview1'/)
  assert.match(problem('two-memories'), /more than one memory/)
  assert.match(problem('no-start'), /'_start'/)
  assert.match(moduleProblems(Buffer.from('MZ nonsense')).join(), /no WebAssembly module/)
  assert.match(moduleProblems(new Uint8Array()).join(), /no WebAssembly module/)
  assert.match(moduleProblems(moduleBytes('echo').subarray(0, 100)).join(), /no valid WebAssembly/)
})

test('shared and 64-bit memories are refused', () => {
  // (module (memory (export "memory") 1 1 shared) (func (export "_start"))) and the same with an i64 memory
  const withMemory = (...limits: number[]) =>
    Uint8Array.from([
      0,
      0x61,
      0x73,
      0x6d,
      1,
      0,
      0,
      0,
      1,
      4,
      1,
      0x60,
      0,
      0,
      3,
      2,
      1,
      0,
      5,
      limits.length + 1,
      1,
      ...limits,
      7,
      19,
      2,
      6,
      ...Buffer.from('memory'),
      2,
      0,
      6,
      ...Buffer.from('_start'),
      0,
      0,
      10,
      4,
      1,
      2,
      0,
      0x0b
    ])
  assert.deepEqual(moduleProblems(withMemory(0, 1)), [])
  assert.match(moduleProblems(withMemory(3, 1, 1)).join(), /shared or 64-bit/)
  assert.match(moduleProblems(withMemory(4, 1)).join(), /shared or 64-bit|no valid/)
})

test('damaged modules never throw and never pass as something else', () => {
  const random = new SeededRandom('damage')
  const good = moduleBytes('break-out')
  for (let round = 0; round < 2_000; round++) {
    const bytes = Uint8Array.from(good)
    for (let change = 0; change <= random.below(4); change++)
      bytes[random.below(bytes.length)] = random.below(256)
    for (const problem of moduleProblems(bytes)) assert.match(problem, /^[\x20-\x7e]{1,300}$/)
  }
})
