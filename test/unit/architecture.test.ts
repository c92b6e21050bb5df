import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { checkArchitecture, describeViolations, type Exception } from '../utils/architecture/index.ts'
import { SOURCE_ROOT, sourceFiles } from '../utils/index.ts'

function readSources(...directories: string[]): Map<string, string> {
  const files = directories.flatMap(directory => sourceFiles(directory))
  return new Map(files.map(file => [file, readFileSync(join(SOURCE_ROOT, file), 'utf8')]))
}

/** Rules broken by synthetic sources, as `file rule`. */
function broken(sources: Record<string, string>, exceptions: readonly Exception[] = []): string[] {
  return checkArchitecture(new Map(Object.entries(sources)), exceptions).map(
    ({ file, rule }) => `${file} ${rule}`
  )
}

const DOC = '/** A door. @packageDocumentation */\n'

describe('the sources of this program', () => {
  it('keep the rules of the house', () => {
    const violations = checkArchitecture(readSources('src', 'bin'))
    assert.equal(violations.length, 0, `\n${describeViolations(violations)}\n`)
  })

  it('are seen by the checker', () => {
    assert.ok(readSources('src').size > 50)
  })
})

describe('the architecture checker', () => {
  it('accepts an import of a lower layer through its door', () => {
    assert.deepEqual(broken({ 'src/actor/a.ts': "import { x } from '../network/index.ts'" }), [])
  })

  for (const [title, text] of [
    ['an import', "import { x } from '../api/index.ts'"],
    ['a type import', "import type { X } from '../api/index.ts'"],
    ['a mixed import over several lines', "import {\n  type X,\n  y\n} from '../api/index.ts'"],
    ['a side-effect import', "import '../api/index.ts'"],
    ['a re-export', "export { x } from '../api/index.ts'"],
    ['a type re-export', "export type { X } from '../api/index.ts'"],
    ['a dynamic import', "const x = await import('../api/index.ts')"],
    ['an import type expression', "type X = import('../api/index.ts').X"],
    ['a require', "const x = require('../api/index.ts')"]
  ] as const) {
    it(`reports ${title} of a higher layer`, () => {
      assert.deepEqual(broken({ 'src/actor/a.ts': text }), ['src/actor/a.ts layer'])
    })
  }

  it('reports a sideways import inside layer 3', () => {
    assert.deepEqual(broken({ 'src/db/a.ts': "import { x } from '../network/index.ts'" }), [
      'src/db/a.ts layer'
    ])
  })

  it('keeps the order inside dms and lib', () => {
    assert.deepEqual(broken({ 'src/dms/orchestrator/a.ts': "import { x } from '../resources/index.ts'" }), [])
    assert.deepEqual(broken({ 'src/dms/resources/a.ts': "import { x } from '../orchestrator/index.ts'" }), [
      'src/dms/resources/a.ts layer'
    ])
    assert.deepEqual(broken({ 'src/lib/crypto/a.ts': "import { x } from '../did/index.ts'" }), [
      'src/lib/crypto/a.ts layer'
    ])
  })

  it('reports a file behind a door', () => {
    assert.deepEqual(broken({ 'src/dms/node/a.ts': "import type { X } from '../../db/types.ts'" }), [
      'src/dms/node/a.ts door'
    ])
  })

  it('reports an implementation named outside of the daemon', () => {
    const text = "import { x } from '../../executor/docker/index.ts'"
    assert.deepEqual(broken({ 'src/dms/node/a.ts': text }), ['src/dms/node/a.ts door'])
    assert.deepEqual(broken({ 'src/daemon/b/a.ts': text }), [])
  })

  it('reports a folder that has no layer', () => {
    assert.deepEqual(broken({ 'src/misc/a.ts': "import { x } from '../utils/index.ts'" }), [
      'src/misc/a.ts layer'
    ])
  })

  it('reports an import from the tests', () => {
    assert.deepEqual(broken({ 'src/db/a.ts': "import { x } from '../../test/utils/index.ts'" }), [
      'src/db/a.ts layer'
    ])
  })

  it('reports a package outside of its home, without a home, and a computed import', () => {
    assert.deepEqual(broken({ 'src/actor/a.ts': "import { x } from '@libp2p/crypto/keys'" }), [
      'src/actor/a.ts package'
    ])
    assert.deepEqual(broken({ 'src/actor/a.ts': "import x from 'left-pad'" }), ['src/actor/a.ts package'])
    assert.deepEqual(broken({ 'src/config/a.ts': "import { z } from 'zod'" }), ['src/config/a.ts package'])
    assert.deepEqual(broken({ 'src/api/client/a.ts': "import { z } from 'zod'" }), [
      'src/api/client/a.ts package'
    ])
    assert.deepEqual(broken({ 'src/actor/a.ts': "import { setTimeout as s } from 'node:timers'" }), [
      'src/actor/a.ts package',
      'src/actor/a.ts time'
    ])
    assert.deepEqual(broken({ 'src/actor/a.ts': 'const x = await import(name)' }), ['src/actor/a.ts import'])
    assert.deepEqual(broken({ 'src/network/libp2p/a.ts': "import { x } from '@libp2p/crypto/keys'" }), [])
  })

  it('reports a circle of imports, also of types', () => {
    const sources = {
      'src/db/a.ts': "import { b } from './b.ts'",
      'src/db/b.ts': "import type { C } from './c.ts'",
      'src/db/c.ts': "export { a } from './a.ts'"
    }
    assert.deepEqual(broken(sources), ['src/db/a.ts cycle'])
    assert.deepEqual(broken({ ...sources, 'src/db/c.ts': "const a = import('./a.ts')" }), [])
  })

  for (const [rule, text] of [
    ['time', 'const t = Date.now()'],
    ['time', 'const t = new Date()'],
    ['time', 'const t = Date()'],
    ['time', 'setTimeout(() => x(), 5)'],
    ['time', 'const later = setImmediate'],
    ['time', 'globalThis.setInterval(x, 5)'],
    ['time', 'const t = performance.now()'],
    ['time', 'const s = AbortSignal.timeout(5)'],
    ['time', 'const t = process.hrtime.bigint()'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text for the checker
    ['time', 'const t = `it is ${Date.now()} now`'],
    ['random', 'const r = Math.random()'],
    ['random', "import { randomBytes } from 'node:crypto'"],
    ['random', 'crypto.randomUUID()'],
    ['environment', 'const home = process.env.HOME'],
    ['environment', "const home = process['env']"],
    ['exit', 'process.exit(1)'],
    ['console', "console.log('x')"],
    ['export', 'export default class {}'],
    ['export', "export * from './b.ts'"]
  ] as const) {
    it(`reports \`${text}\``, () => {
      assert.deepEqual(broken({ 'src/dms/node/a.ts': text }), [`src/dms/node/a.ts ${rule}`])
    })
  }

  it('does not mistake texts, comments, expressions and members for what it forbids', () => {
    const text = [
      '// Date.now() is forbidden',
      '/* setTimeout */',
      "const a = 'Math.random() and console.log'",
      'const b = `process.env`',
      'const c = /process\\.exit\\(["\'`]/.test(x) // new Date()',
      'const d = new Date(clock.nowMs())',
      'const e = clock.setTimeout(1)',
      'const f = this.#performance.now',
      'process.exitCode = 1',
      'const g = \'import { x } from "../api/index.ts"\'',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: source text for the checker
      'const h = `${a + `}${b}`} console.log(1) ${c}`',
      'const i = a / b / c',
      'const j = { get require() {}, x: y.require(z) }'
    ]
    assert.deepEqual(broken({ 'src/dms/node/a.ts': text.join('\n') }), [])
  })

  it('lets only cmd use the console', () => {
    assert.deepEqual(broken({ 'src/cmd/a.ts': "console.log('x')" }), [])
  })

  it('reports a file over 500 lines', () => {
    assert.deepEqual(broken({ 'src/db/a.ts': 'x\n'.repeat(501) }), ['src/db/a.ts length'])
    assert.deepEqual(broken({ 'src/db/a.ts': 'x\n'.repeat(500) }), [])
  })

  it('reports a door without a package comment', () => {
    assert.deepEqual(broken({ 'src/db/index.ts': '' }), ['src/db/index.ts documentation'])
  })

  it('reports an exported name without a docstring, also behind a re-export', () => {
    const sources = {
      'src/db/index.ts': `${DOC}export { a, type B, c as d } from './b.ts'`,
      'src/db/b.ts':
        "/** What it is. */\nexport function a() {}\n\nexport interface B {}\nexport { c } from './c.ts'",
      'src/db/c.ts': 'const x = 1\nexport const c = 1'
    }
    assert.deepEqual(
      checkArchitecture(new Map(Object.entries(sources)), []).map(({ message }) => message),
      ["'B' of 'src/db/b.ts' has no docstring", "'c' of 'src/db/b.ts' has no docstring"]
    )
  })

  it('honours a named exception and reports one that is not needed', () => {
    const exceptions: Exception[] = [{ file: 'src/db/a.ts', rules: ['time'], reason: 'a test' }]
    assert.deepEqual(broken({ 'src/db/a.ts': 'Date.now()' }, exceptions), [])
    assert.deepEqual(broken({ 'src/db/a.ts': 'Date.now()', 'src/db/b.ts': 'Date.now()' }, exceptions), [
      'src/db/b.ts time'
    ])
    assert.deepEqual(broken({ 'src/db/a.ts': '' }, exceptions), ['src/db/a.ts time'])
  })
})
