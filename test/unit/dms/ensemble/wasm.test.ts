import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { MAX_ENSEMBLE_JSON_BYTES } from '../../../../src/dms/ensemble/index.ts'
import { base64ToBytes, bytesToBase64, SeededRandom } from '../../../../src/utils/index.ts'
import { EMPTY_MODULE, errorOf, errorsOf, type Files, options, RESOURCES, v1Of } from './support.ts'

function wasm(executions: Record<string, string>): string {
  const names = Object.keys(executions)
  return [
    'allocations:',
    ...names.map(
      name =>
        `  ${name}: { type: task, executor: wasm, resources: ${RESOURCES}, execution: { type: wasm, ${executions[name]} } }`
    ),
    `nodes: { n: { allocations: [${names.join(', ')}] } }`
  ].join('\n')
}

const params = async (execution: string, files: Files) =>
  (await v1Of(wasm({ a: execution }), options(files))).allocations['a']?.execution.params

describe('a WASM module', () => {
  it('travels compressed inside the ensemble, under its file name', async () => {
    const read = await params(
      'module: ./bin/app.wasm, args: [x, 1], environment: { A: b }, stdin: hi, time_limit: 1m30s',
      {
        '/work/bin/app.wasm': EMPTY_MODULE
      }
    )
    assert.deepEqual(
      { ...read, module_gz: undefined },
      {
        module_gz: undefined,
        module_name: 'app.wasm',
        args: ['x', '1'],
        environment: ['A=b'],
        stdin: 'hi',
        time_limit: '1m30s'
      }
    )
    assert.deepEqual(new Uint8Array(gunzipSync(base64ToBytes(String(read?.['module_gz'])))), EMPTY_MODULE)
  })

  it('may be a data URL, line breaks included', async () => {
    const text = bytesToBase64(EMPTY_MODULE)
    const read = await params(
      `module: "data:application/wasm;base64,${text.slice(0, 4)} ${text.slice(4)}"`,
      {}
    )
    assert.deepEqual(new Uint8Array(gunzipSync(base64ToBytes(String(read?.['module_gz'])))), EMPTY_MODULE)
    assert.equal(read?.['module_name'], 'module.wasm')
  })

  it('may lie outside the directory, since only modules leave the machine', async () => {
    assert.equal(
      (await params('module: ../build/x.wasm', { '/build/x.wasm': EMPTY_MODULE }))?.['module_name'],
      'x.wasm'
    )
    const problem = await errorOf(
      wasm({ a: 'module: ../secret' }),
      options({ '/secret': '-----BEGIN PRIVATE KEY-----' })
    )
    assert.equal(problem.path, 'allocations.a.execution.module')
    assert.doesNotMatch(JSON.stringify(problem), /PRIVATE/)
  })

  it('in text form must be compiled first', async () => {
    const problem = await errorOf(wasm({ a: 'module: a.wat' }), options({ '/work/a.wat': '(module)' }))
    assert.match(problem.hint ?? '', /compiled first/)
  })

  it('used by several allocations is packed the same each time', async () => {
    const v1 = await v1Of(
      wasm({ a: 'module: x.wasm', b: 'module: ./x.wasm' }),
      options({ '/work/x.wasm': EMPTY_MODULE })
    )
    assert.equal(
      v1.allocations['a']?.execution.params['module_gz'],
      v1.allocations['b']?.execution.params['module_gz']
    )
  })

  it('larger than any executor takes is refused before it is compressed', async () => {
    const large = new Uint8Array(16 * 2 ** 20 + 1)
    large.set(EMPTY_MODULE)
    assert.match(
      (await errorOf(wasm({ a: 'module: x.wasm' }), options({ '/work/x.wasm': large }))).expected ?? '',
      /16777216 bytes/
    )
  })

  it('that makes the ensemble too large for one message is refused with both sizes', async () => {
    const noise = new SeededRandom(1).bytes(MAX_ENSEMBLE_JSON_BYTES)
    noise.set(EMPTY_MODULE)
    const fits = noise.slice(0, Math.floor(MAX_ENSEMBLE_JSON_BYTES * 0.74))
    const files = { '/work/big.wasm': noise, '/work/fits.wasm': fits }
    await v1Of(wasm({ a: 'module: fits.wasm' }), options(files))
    const problem = await errorOf(wasm({ a: 'module: big.wasm' }), options(files))
    assert.match(`${problem.expected} ${problem.message}`, /at most 737280 bytes.*of them for 'a'/)
    const both = await errorsOf(wasm({ a: 'module: fits.wasm', b: 'module: fits.wasm' }), options(files))
    assert.equal(both.length, 1)
  })

  it('in an ensemble at the limit fits in an actor message, base64 of the payload included', () => {
    const envelope = 64 * 2 ** 10
    assert.ok(Math.ceil(MAX_ENSEMBLE_JSON_BYTES / 3) * 4 + envelope <= 2 ** 20)
  })

  it('has its time limit in a form executors read', async () => {
    assert.equal(
      (await params('module: x.wasm, time_limit: .5s', { '/work/x.wasm': EMPTY_MODULE }))?.['time_limit'],
      '500000000ns'
    )
  })
})
