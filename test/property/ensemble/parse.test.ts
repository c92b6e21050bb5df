// biome-ignore-all lint/suspicious/noTemplateCurlyInString: marks of ensemble files
/** Whatever is in the file, the reader answers, with an ensemble or with problems. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import {
  checkEnsemble,
  ensembleSchema,
  formatProblem,
  nodeDemand,
  type ParseOptions,
  parseEnsembleFile,
  startLevels
} from '../../../src/dms/ensemble/index.ts'

const options: ParseOptions = {
  fileName: 'f.yaml',
  directory: '/d',
  env: { A: 'a', B: '${A}${B}' },
  readFile: () => Promise.resolve(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
}

/** Reads, and prints what is wrong; fails only by throwing or not ending. */
async function survives(text: string): Promise<void> {
  const result = await parseEnsembleFile(text, options)
  if (result.ok) {
    for (const warning of result.value.warnings)
      assert.match(formatProblem(warning), /^f\.yaml:\d+:\d+: warning: /)
    assert.deepEqual(
      checkEnsemble(result.value.ensemble).filter(refusal => refusal.code !== 'ENSEMBLE_PORT'),
      []
    )
  } else {
    assert.ok(result.error.some(problem => problem.severity === 'error'))
    for (const problem of result.error) {
      assert.ok(problem.line >= 1 && problem.column >= 1)
      assert.match(formatProblem(problem), /^f\.yaml:\d+:\d+: /)
    }
  }
}

const key = fc.constantFrom(
  'version',
  'allocations',
  'nodes',
  'edge_constraints',
  'edges',
  'supervisor',
  'keys',
  'scripts',
  'resources',
  'subnet',
  'metadata',
  'contracts',
  'a',
  'b',
  'type',
  'executor',
  'execution',
  'image',
  'cmd',
  'environment',
  'module',
  'cpu',
  'ram',
  'disk',
  'gpus',
  'cores',
  'size',
  'vram',
  'ports',
  'public',
  'private',
  'allocation',
  'location',
  'accept',
  'reject',
  'peer',
  'redundancy',
  'depends_on',
  'provision',
  'healthcheck',
  'volume',
  'name',
  'exec',
  'interval',
  '__proto__',
  'constructor',
  '<<'
)
const leaf = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    1,
    -1,
    1.5,
    1e300,
    '',
    'a',
    'b',
    'V1',
    'docker',
    'wasm',
    'null',
    'task',
    'service',
    '1 GiB',
    '30s',
    '${A}',
    '${B}',
    '${file:x}',
    '${'
  ),
  fc.string(),
  fc.double()
)
const tree = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 8 }).map(entries => Object.fromEntries(entries))
  )
})).value

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/)
const amount = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.constantFrom('0.5', '512 MiB', '2GB', '1e-1 TiB'))
const cores = fc.integer({ min: 1, max: 6400 }).map(value => value / 100)

/** A valid ensemble: allocations that may depend on those before them, spread over nodes. */
const valid = fc
  .uniqueArray(label, { minLength: 1, maxLength: 6 })
  .chain(names =>
    fc.record({
      names: fc.constant(names),
      facts: fc.array(
        fc.record({
          type: fc.constantFrom('task', 'service'),
          cores,
          ram: amount,
          disk: amount,
          node: fc.nat(2),
          needs: fc.boolean(),
          env: fc.dictionary(
            fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,6}$/),
            fc.string().filter(text => !text.includes('${'))
          )
        }),
        { minLength: names.length, maxLength: names.length }
      )
    })
  )
  .map(({ names, facts }) => {
    const nodes = new Map<string, string[]>()
    const allocations = names.map((name, index) => {
      const fact = facts[index]
      const mates = nodes.get(`node${fact?.node}`) ?? []
      nodes.set(`node${fact?.node}`, [...mates, name])
      const resources = { cpu: { cores: fact?.cores }, ram: { size: fact?.ram }, disk: { size: fact?.disk } }
      const execution = { type: 'docker', image: 'busybox', environment: fact?.env }
      return [
        name,
        { type: fact?.type, executor: 'docker', resources, execution, depends_on: fact?.needs ? mates : [] }
      ]
    })
    const placed = [...nodes].map(([name, list]) => [name, { allocations: list }])
    return { version: 'V1', allocations: Object.fromEntries(allocations), nodes: Object.fromEntries(placed) }
  })

describe('the file reader', () => {
  it('answers any text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ maxLength: 400 })),
        survives
      ),
      { numRuns: 300 }
    )
  })

  it('answers any text of YAML’s own characters', async () => {
    const unit = fc.constantFrom(
      ' ',
      '\n',
      '\t',
      ':',
      '-',
      '?',
      '{',
      '}',
      '[',
      ']',
      ',',
      '&a',
      '*a',
      '<<',
      '!',
      '|',
      '>',
      '#',
      '"',
      "'",
      '%',
      '${',
      'a'
    )
    await fc.assert(
      fc.asyncProperty(fc.array(unit, { maxLength: 120 }), parts => survives(parts.join(''))),
      { numRuns: 500 }
    )
  })

  it('answers any tree of known keys, as YAML and as JSON', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async value => {
        await survives(JSON.stringify(value) ?? '')
        await survives(stringify(value, { aliasDuplicateObjects: false }) ?? '')
      }),
      { numRuns: 200 }
    )
  })

  it('answers a valid file with one piece cut out or repeated', async () => {
    await fc.assert(
      fc.asyncProperty(
        valid,
        fc.nat(),
        fc.nat({ max: 40 }),
        fc.boolean(),
        async (value, at, length, isRepeated) => {
          const text = stringify(value)
          const start = at % text.length
          const middle = isRepeated ? text.slice(start, start + length).repeat(2) : ''
          await survives(text.slice(0, start) + middle + text.slice(start + length))
        }
      ),
      { numRuns: 200 }
    )
  })
})

describe('a valid ensemble', () => {
  it('is the same from YAML, from JSON and from the wire, and can be planned', async () => {
    await fc.assert(
      fc.asyncProperty(valid, async value => {
        const fromYaml = await parseEnsembleFile(stringify(value), options)
        const fromJson = await parseEnsembleFile(JSON.stringify(value), options)
        assert.ok(fromYaml.ok && fromJson.ok, JSON.stringify(fromYaml))
        const { ensemble } = fromYaml.value
        assert.deepEqual(fromJson.value.ensemble, ensemble)
        const wire: unknown = JSON.parse(JSON.stringify(ensemble))
        assert.deepEqual(JSON.parse(JSON.stringify(ensembleSchema.parse(wire))), wire)
        assert.deepEqual(checkEnsemble(ensemble), [])
        for (const [name, node] of Object.entries(ensemble.v1.nodes)) {
          const levels = startLevels(ensemble, name)
          assert.deepEqual(levels.ok && levels.value.flat().sort(), [...node.allocations].sort())
          const ram = node.allocations.reduce(
            (sum, each) => sum + (ensemble.v1.allocations[each]?.resources.ram.size ?? 0),
            0
          )
          assert.equal(nodeDemand(ensemble, name).ram.size, ram)
        }
      }),
      { numRuns: 100 }
    )
  })
})

describe('the wire reader', () => {
  it('answers any value', () => {
    fc.assert(
      fc.property(fc.oneof(tree, fc.jsonValue()), value => {
        const result = ensembleSchema.safeParse({ v1: value })
        if (result.success) checkEnsemble(result.data)
      }),
      { numRuns: 500 }
    )
  })
})
