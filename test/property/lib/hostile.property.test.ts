/** Readers under input made to exhaust them. What they may take is bounded by the length of the input. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseCapabilityFile, parseToken, parseTokenList } from '../../../src/lib/ucan/index.ts'
import { parseGoJson, SyntaxFault } from '../../../src/utils/index.ts'
import { SOURCE_ROOT } from '../../utils/index.ts'
import { RUNS } from './generators.ts'
import { HOSTILE_TEXTS } from './hostile-texts.ts'

describe('readers', () => {
  test('take no more than linear time on long input', () => {
    for (const text of HOSTILE_TEXTS) {
      const startedNs = process.hrtime.bigint()
      assert.equal(parseTokenList(text).ok, false, text.slice(0, 30))
      assert.equal(parseToken(text).ok, false, text.slice(0, 30))
      assert.throws(() => parseCapabilityFile(text), { code: 'UCAN_FILE_CORRUPT' })
      const tookMs = Number(process.hrtime.bigint() - startedNs) / 1e6
      assert.ok(tookMs < 5000, `${text.slice(0, 30)} took ${tookMs} ms`)
    }
  })

  test('bounded in time and memory: a process with little of both survives all of it', () => {
    // The heap holds each text of a megabyte and what may be built of it, but nothing that grows faster.
    const child = spawnSync(
      process.execPath,
      ['--max-old-space-size=256', '--stack-size=500', 'test/property/lib/read-hostile.ts'],
      { cwd: SOURCE_ROOT, encoding: 'utf8', timeout: 60_000 }
    )
    assert.equal(child.status, 0, child.stderr.slice(-2000))
    const { read } = JSON.parse(child.stdout)
    assert.ok(read > 100, `${read} reads`)
  })

  test('nest no deeper than they are told, whatever opens', () => {
    const opening = fc.array(fc.constantFrom('[', '{"a":', '[[', '{"a":['), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(opening, fc.integer({ min: 1, max: 20 }), (parts, maxDepth) => {
        const open = parts.join('')
        const closing = [...open]
          .reverse()
          .flatMap(character => (character === '[' ? [']'] : character === '{' ? ['}'] : []))
        const text = `${open}1${closing.join('')}`
        const depth = closing.length
        if (depth <= maxDepth) parseGoJson(text, { maxLength: 1e6, maxDepth })
        else assert.throws(() => parseGoJson(text, { maxLength: 1e6, maxDepth }), SyntaxFault)
      }),
      { numRuns: RUNS }
    )
  })
})
