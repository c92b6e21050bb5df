import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assembleAll, staleModules } from '../../../scripts/build-wasm.ts'

test('every committed WebAssembly binary is what its text says', async () => {
  const modules = await assembleAll()
  assert.ok(modules.length > 10)
  assert.deepEqual(await staleModules(modules), [])
})
