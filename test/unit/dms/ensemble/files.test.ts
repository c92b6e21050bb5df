/** Real files: those that must load, and the examples, which must load without a warning. */

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  checkEnsemble,
  ensembleSchema,
  formatProblem,
  parseEnsembleFile
} from '../../../../src/dms/ensemble/index.ts'
import { EMPTY_MODULE, parsed } from './support.ts'

const root = join(import.meta.dirname, '../../../..')
const fixtures = join(root, 'test/fixtures/ensembles')
const examples = join(root, 'examples')

const load = async (directory: string, file: string) =>
  parsed(await readFile(join(directory, file), 'utf8'), {
    fileName: file,
    directory,
    env: {},
    // What is tested is the file, not the modules, which are made by the build.
    readFile: path => (path.endsWith('.wasm') ? Promise.resolve(EMPTY_MODULE) : readFile(path))
  })

const yamlFiles = async (directory: string) =>
  (await readdir(directory)).filter(file => file.endsWith('.yaml'))

describe('real ensembles', () => {
  it('load, with warnings for the keys no version knows', async () => {
    const warned = new Map<string, string[]>()
    for (const file of await yamlFiles(fixtures)) {
      const { warnings } = await load(fixtures, file)
      warned.set(
        file,
        warnings.map(warning => warning.path)
      )
    }
    assert.deepEqual(Object.fromEntries(warned), {
      'docker-hello.yaml': [],
      'nginx-with-redundancy.yaml': ['allocations.nginx1.dnsname', 'allocations.nginx2.dnsname'],
      'two-tasks-one-service.yaml': [
        'allocations.task-one.execution.args',
        'allocations.task-two.execution.args'
      ]
    })
  })

  it('mean what their writers meant', async () => {
    const { v1 } = (await load(fixtures, 'nginx-with-redundancy.yaml')).ensemble
    assert.equal(v1.nodes['node1']?.redundancy, 1)
    assert.deepEqual(v1.nodes['node2']?.ports, [{ public: 7224, private: 80, allocation: 'nginx2' }])
    assert.equal(v1.allocations['nginx1']?.dns_name, 'nginxdemo-alloc1')
    assert.deepEqual(v1.subnet, { join: false })
    const tasks = (await load(fixtures, 'two-tasks-one-service.yaml')).ensemble.v1
    assert.deepEqual(tasks.allocations['task-one']?.execution.params['args'], [
      'sh',
      '-c',
      "echo 'Task one' && sleep 5"
    ])
  })
})

describe('examples', () => {
  it('load without a warning, and are as sound on the wire as in the file', async () => {
    const files = await yamlFiles(examples)
    for (const name of ['hello-task', 'primes', 'web-service', 'two-nodes-talk', 'task-and-service']) {
      assert.ok(files.includes(`${name}.yaml`), name)
    }
    for (const file of files) {
      const { ensemble, warnings } = await load(examples, file)
      assert.deepEqual(warnings, [], file)
      const wire = ensembleSchema.parse(JSON.parse(JSON.stringify(ensemble)))
      assert.deepEqual(JSON.parse(JSON.stringify(wire)), ensemble, file)
      assert.deepEqual(checkEnsemble(wire), [], file)
    }
  })

  it('are all described in their README', async () => {
    const readme = await readFile(join(examples, 'README.md'), 'utf8')
    for (const file of await yamlFiles(examples)) assert.ok(readme.includes(file), file)
  })
})

describe('the manual', () => {
  const manual = readFile(join(root, 'docs/ensembles.md'), 'utf8')
  const check = async (text: string, fileName: string) =>
    parseEnsembleFile(text, {
      fileName,
      directory: '/',
      env: {},
      readFile: () => Promise.resolve(EMPTY_MODULE)
    })

  it('has examples that load', async () => {
    const blocks = [...(await manual).matchAll(/```yaml\n([\s\S]*?)```/g)].map(match => match[1] ?? '')
    const whole = blocks.filter(block => /^nodes:/m.test(block) && !block.startsWith('# broken'))
    assert.ok(whole.length > 0)
    for (const block of whole) {
      const result = await check(block, 'docs')
      assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.error))
    }
  })

  it('shows mistakes as they are printed', async () => {
    const found = /```yaml\n(# broken\.yaml\n[\s\S]*?)```\s*```text\n([\s\S]*?)```/.exec(await manual)
    const result = await check(found?.[1] ?? '', 'broken.yaml')
    assert.ok(!result.ok)
    assert.equal(`${result.error.map(formatProblem).join('\n')}\n`, found?.[2])
  })
})
