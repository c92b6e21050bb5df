/** The text side: YAML and JSON, aliases, limits, positions. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type EnsembleProblem, formatProblem, parseEnsembleFile } from '../../../../src/dms/ensemble/index.ts'
import { errorOf, errorsOf, options, parsed, RESOURCES, sample, v1Of } from './support.ts'

const json = {
  version: 'V1',
  allocations: {
    web: {
      type: 'task',
      executor: 'docker',
      resources: { cpu: { cores: 1 }, ram: { size: 1 }, disk: { size: 1 } },
      execution: { type: 'docker', image: 'busybox' }
    }
  },
  nodes: {
    front: { allocations: ['web'], redundancy: 1, ports: [{ public: 2000, private: 80, allocation: 'web' }] }
  }
}

describe('JSON', () => {
  it('is read like YAML, in any layout, its integers staying integers', async () => {
    const expected = await v1Of(sample({ node: 'redundancy: 1\n    ports: [{ public: 2000, private: 80 }]' }))
    for (const indent of [undefined, 2, '\t'])
      assert.deepEqual(await v1Of(JSON.stringify(json, undefined, indent)), expected)
  })

  it('is read where YAML refuses it', async () => {
    // A member that is not indented ends a flow collection inside a block in YAML; a key over 1024 characters is refused.
    const text = JSON.stringify({ ...json, metadata: { ['k'.repeat(1100)]: 'v' } }, undefined, '\t')
    assert.equal((await v1Of(text)).metadata?.['k'.repeat(1100)], 'v')
  })

  it('with a mistake has its problems located all the same', async () => {
    const problem = await errorOf(JSON.stringify({ ...json, subnet: {} }, undefined, 2))
    assert.equal(problem.path, 'subnet.join')
    assert.ok(problem.line > 20)
  })
})

describe('YAML', () => {
  it('aliases and merge keys are put in, own keys winning', async () => {
    const text = [
      'base: &base { type: task, executor: docker, resources: ' +
        RESOURCES +
        ', execution: { type: docker, image: busybox } }',
      'allocations:',
      '  a: *base',
      '  b:',
      '    <<: *base',
      '    type: service',
      '  c:',
      '    <<: [{ type: service }, *base]',
      'nodes: { n: { allocations: [a, b, c] } }'
    ].join('\n')
    const v1 = await v1Of(text)
    assert.deepEqual(
      ['a', 'b', 'c'].map(name => v1.allocations[name]?.type),
      ['task', 'service', 'service']
    )
    assert.deepEqual(
      ['a', 'b', 'c'].map(name => v1.allocations[name]?.dns_name),
      ['a', 'b', 'c']
    )
  })

  it('the latest anchor of a name counts', async () => {
    const v1 = await v1Of(sample({ root: 'metadata: { a: &x one, b: *x, c: &x two, d: *x }' }))
    assert.deepEqual(v1.metadata, { a: 'one', b: 'one', c: 'two', d: 'two' })
  })

  it('an alias bomb is refused at once', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 12; level++) {
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`)
    }
    assert.match((await errorOf(lines.join('\n'))).message, /more than 100000 values/)
  })

  it('an alias to nothing and an alias inside its anchor are refused', async () => {
    assert.match((await errorsOf(sample({ root: 'metadata: *nowhere' })))[0]?.message ?? '', /nowhere/)
    assert.match((await errorOf(sample({ root: 'metadata: &m { a: *m }' }))).message, /inside its own anchor/)
  })

  it('depth is bounded, through aliases too', async () => {
    assert.match((await errorOf(`a: ${'['.repeat(70)}${']'.repeat(70)}`)).message, /levels deep/)
    const chain = [
      'a0: &a0 x',
      ...Array.from({ length: 200 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}]`)
    ]
    assert.match((await errorOf(chain.join('\n'))).message, /levels deep/)
    for (const open of ['[', '{']) assert.ok((await errorsOf(open.repeat(50_000))).length > 0)
  })

  it('size is bounded', async () => {
    assert.match((await errorOf(`# ${'x'.repeat(2 ** 20)}`)).expected ?? '', /1048576 bytes/)
  })

  it('a repeated key is refused where it stands', async () => {
    const problem = await errorOf(sample({ allocation: 'type: service' }))
    assert.equal(problem.message, "key 'type' is here twice")
    assert.equal(problem.line, 8)
  })

  it('several documents are refused', async () => {
    assert.match((await errorsOf(`${sample()}\n---\n${sample()}`))[0]?.message ?? '', /multiple documents/)
  })

  it('marks of a tool in front, left unfilled, are named', async () => {
    const problem = await errorOf(sample({ node: 'peer: {{ peer_id }}' }))
    assert.match(problem.hint ?? '', /must be filled in/)
    assert.equal(problem.line, 11)
  })

  it('a syntax error has its place', async () => {
    const [problem] = await errorsOf('allocations:\n  web: [1,\nnodes: 2')
    assert.match(problem?.message ?? '', /^not valid YAML: /)
    assert.equal(problem?.line, 3)
  })

  it('dates, bytes and unknown tags are taken as text', async () => {
    const v1 = await v1Of(sample({ root: 'metadata: { a: 2026-01-01, b: !!binary aGk=, c: !mine x }' }))
    assert.deepEqual(v1.metadata, { a: '2026-01-01', b: 'aGk=', c: 'x' })
  })

  it('a file that says it is YAML 1.1 is read too', async () => {
    await parsed(`%YAML 1.1\n---\n${sample({ root: 'x: &x { join: yes }\nsubnet: { <<: *x }' })}`)
  })

  it('a name from an object’s prototype is just a name', async () => {
    const v1 = await v1Of(sample({ root: 'metadata: { __proto__: x, constructor: y }' }))
    assert.deepEqual(Object.entries(v1.metadata ?? {}), [
      ['__proto__', 'x'],
      ['constructor', 'y']
    ])
    assert.equal(Object.getPrototypeOf(v1.metadata), Object.prototype)
  })
})

describe('a printed problem', () => {
  const problem: EnsembleProblem = {
    severity: 'error',
    file: 'ensemble.yaml',
    line: 14,
    column: 14,
    path: 'allocations.web.execution.image',
    message: "found 'Web App'",
    expected: 'a docker image',
    hint: 'image paths are lower case',
    excerpt: { text: '      image: Web App', length: 7 }
  }

  it('has file, line, column, path, what was expected and found, the line and a caret', () => {
    assert.equal(
      formatProblem(problem),
      [
        "ensemble.yaml:14:14: allocations.web.execution.image: expected a docker image, found 'Web App'",
        '  14 |       image: Web App',
        '     |              ^^^^^^^',
        '  hint: image paths are lower case'
      ].join('\n')
    )
  })

  it('says when it is a warning, and leaves out what it lacks', () => {
    const { file, line, column } = problem
    const short: EnsembleProblem = {
      severity: 'warning',
      file,
      line,
      column,
      path: 'a',
      message: "unknown key 'a' is ignored"
    }
    assert.equal(formatProblem(short), "ensemble.yaml:14:14: warning: a: unknown key 'a' is ignored")
  })

  it('comes out of the parser with these facts', async () => {
    const text = sample({ node: 'ports: [{ public: 80, private: 80, allocation: web }]' })
    assert.equal(
      formatProblem(await errorOf(text))
        .split('\n')
        .slice(0, 3)
        .join('\n'),
      [
        'ensemble.yaml:11:23: nodes.front.ports[0].public: expected a port from 1025 to 65535, or 0 to let the provider choose, found number 80',
        '  11 |     ports: [{ public: 80, private: 80, allocation: web }]',
        '     |                       ^^'
      ].join('\n')
    )
  })

  it('cannot write to the terminal', async () => {
    const result = await parseEnsembleFile(
      sample({ allocation: 'dns_name: "\u001b[2J\u202e"' }),
      options({}, { fileName: 'a\u001b.yaml' })
    )
    assert.ok(!result.ok)
    for (const shown of result.error.map(formatProblem)) assert.doesNotMatch(shown, /[[\p{Cf}\p{Cc}]--[\n]]/v)
    assert.match(JSON.stringify(result.error[0]?.message), /u001b/)
  })

  it('shows only the part of a long line that matters', () => {
    const text = `${'x'.repeat(500)}HERE${'y'.repeat(500)}`
    const lines = formatProblem({ ...problem, column: 501, excerpt: { text, length: 4 } }).split('\n')
    assert.ok((lines[1] ?? '').length < 120)
    assert.equal((lines[1] ?? '').indexOf('HERE'), (lines[2] ?? '').indexOf('^^^^'))
  })
})
