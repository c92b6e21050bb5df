// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the marks under test look like this
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseEnsembleFile } from '../../../../src/dms/ensemble/index.ts'
import { errorOf, type Files, options, sample, v1Of } from './support.ts'

/** What a text becomes, given variables and files. */
async function expand(text: string, env: Record<string, string> = {}, files: Files = {}): Promise<unknown> {
  const v1 = await v1Of(sample({ execution: `cmd: [${JSON.stringify(text)}]` }), options(files, { env }))
  const cmd = v1.allocations['web']?.execution.params['cmd']
  return Array.isArray(cmd) ? cmd[0] : cmd
}

async function refused(text: string, env: Record<string, string> = {}, files: Files = {}): Promise<string> {
  const problem = await errorOf(
    sample({ execution: `cmd: [${JSON.stringify(text)}]` }),
    options(files, { env })
  )
  assert.equal(problem.path, 'allocations.web.execution.cmd[0]')
  return `${problem.expected ?? ''} ${problem.message}`
}

describe('marks', () => {
  it('take variables of the client, by either form', async () => {
    assert.equal(await expand('a ${X} b ${env:X}', { X: '1' }), 'a 1 b 1')
  })

  it('leave shell variables, commands and unfinished marks alone', async () => {
    assert.equal(await expand('$X $(date) ${', { X: '1' }), '$X $(date) ${')
  })

  it('use the default when a variable is missing or empty', async () => {
    assert.equal(await expand('${X:-d} ${Y:-}${file:no:-e}', { X: '' }), 'd e')
  })

  it('may stand in each other', async () => {
    assert.equal(
      await expand('${X:-${Y:-z}} ${file:${D}/f}', { D: 'sub' }, { '/work/sub/f': 'text' }),
      'z text'
    )
  })

  it('ignore words after a bar', async () => {
    assert.equal(await expand('${X|trim} ${X|a|b:-c}', { X: '1' }), '1 1')
  })

  it('take files, whose own marks count too', async () => {
    assert.equal(await expand('${file:run.sh}', { X: '1' }, { '/work/run.sh': 'x=${X} $HOME' }), 'x=1 $HOME')
  })

  it('take files as they are when told so', async () => {
    assert.equal(await expand('${file:run.sh|raw}', {}, { '/work/run.sh': '${NOT_OURS}' }), '${NOT_OURS}')
  })

  it('put an absolute path under the directory, as the existing reader does', async () => {
    assert.equal(await expand('${file:/etc/x}', {}, { '/work/etc/x': 'inside' }), 'inside')
  })

  it('are replaced in numbers, scripts and names alike, but not in keys', async () => {
    const text = sample({
      resources: '{ cpu: { cores: "${C}" }, ram: { size: "${R}" }, disk: { size: 1 } }',
      node: 'ports: [{ public: "${P}", private: 80, allocation: "${A}" }]',
      root: 'metadata: { "${KEY}": v }'
    })
    const v1 = await v1Of(text, options({}, { env: { C: '0.5', R: '1 MiB', P: '2000', A: 'web' } }))
    assert.equal(v1.allocations['web']?.resources.cpu.cores, 0.5)
    assert.equal(v1.allocations['web']?.resources.ram.size, 2 ** 20)
    assert.deepEqual(v1.nodes['front']?.ports, [{ public: 2000, private: 80, allocation: 'web' }])
    assert.deepEqual(v1.metadata, { '${KEY}': 'v' })
  })

  it('without a value are errors that name the variable', async () => {
    assert.match(await refused('${NOPE}'), /'NOPE' is not set/)
  })

  it('never see what every object inherits', async () => {
    assert.match(await refused('${constructor}'), /'constructor' is not set/)
  })

  it('of an unknown source are errors', async () => {
    assert.match(await refused('${vault:x}'), /found '\$\{vault:x\}'/)
  })

  it('reach no file outside the directory, whatever the default', async () => {
    for (const path of ['../secret', 'a/../../secret', '/../../secret', '.', '..']) {
      assert.match(
        await refused(`\${file:${path}:-d}`, {}, { '/secret': 'x' }),
        /in the directory of the ensemble file/
      )
    }
  })

  it('name a file that is missing or no text', async () => {
    assert.match(await refused('${file:no}'), /'no' cannot be read: there is no such file/)
    assert.match(await refused('${file:b}', {}, { '/work/b': Uint8Array.of(0xff) }), /no.* text in UTF-8/)
    assert.match(await refused('${file:big}', {}, { '/work/big': 'x'.repeat(2 ** 20 + 1) }), /larger than/)
  })

  it('that lead to themselves end', async () => {
    assert.match(await refused('${A}', { A: '${A}' }), /lead to each other/)
    assert.match(await refused('${A}', { A: 'x${B}', B: 'y${A}' }), /lead to each other/)
    assert.match(await refused('${file:f}', {}, { '/work/f': '${file:f}' }), /lead to each other/)
  })

  it('that grow without end are stopped', async () => {
    const env = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`L${index}`, `\${L${index + 1}}`.repeat(10)])
    )
    assert.match(await refused('${L0}', { ...env, L10: 'x'.repeat(100) }), /more than/)
  })

  it('that are wrong are all reported', async () => {
    const result = await parseEnsembleFile(sample({ execution: 'cmd: ["${A}", "${B}"]' }), options())
    assert.ok(!result.ok)
    assert.deepEqual(
      result.error.map(problem => problem.message),
      ["environment variable 'A' is not set", "environment variable 'B' is not set"]
    )
  })

  it('stop being expanded when the signal fires', async () => {
    const reason = new Error('enough')
    const stop = new AbortController()
    const readFile = (): Promise<Uint8Array> => {
      stop.abort(reason)
      return Promise.reject(reason)
    }
    const text = sample({ execution: 'cmd: ["${file:a:-x}", "${file:b:-x}"]' })
    await assert.rejects(parseEnsembleFile(text, options({}, { readFile, signal: stop.signal })), reason)
  })
})
