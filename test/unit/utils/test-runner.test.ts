import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { isForbiddenSkip, readOptions } from '../../../scripts/testing/options.ts'
import { SOURCE_ROOT, temporaryDirectory } from '../../utils/index.ts'

const PASSING = "import { it } from 'node:test'\nit('passes', () => {})\n"
const SKIPPING =
  "import { it } from 'node:test'\nit('is left out', { skip: 'needs docker: no engine' }, () => {})\n"
const FAILING = "import { it } from 'node:test'\nit('is wrong', () => { throw new Error('x') })\n"

/** Runs the runner over the given unit tests. */
async function runTests(
  tests: Record<string, string>,
  ...args: string[]
): Promise<{ status: number | null; lines: string[] }> {
  await using directory = await temporaryDirectory()
  await mkdir(directory.join('unit'))
  for (const [name, text] of Object.entries(tests))
    await writeFile(directory.join('unit', `${name}.test.ts`), text)
  return await run('--directory', directory.path, ...args)
}

/** Runs the runner as a person would, outside of the run that this test is part of. */
async function run(...args: string[]): Promise<{ status: number | null; lines: string[] }> {
  const { NODE_TEST_CONTEXT: _, NUNET_REQUIRE: __, CI: ___, NODE_V8_COVERAGE: ____, ...env } = process.env
  const result = spawnSync(process.execPath, ['scripts/test.ts', '--fast', ...args], {
    cwd: SOURCE_ROOT,
    env,
    encoding: 'utf8'
  })
  return { status: result.status, lines: result.stdout.trimEnd().split('\n') }
}

describe('the test runner', () => {
  it('ends with the counts and succeeds when nothing failed; skips are listed with their reason', async () => {
    const { status, lines } = await runTests({ a: PASSING, b: SKIPPING })
    assert.equal(status, 0)
    assert.equal(lines.at(-1), '1 passed, 0 failed, 1 skipped')
    assert.ok(lines.some(line => line.includes('is left out') && line.endsWith('needs docker: no engine')))
  })

  it('fails when a test fails, or a file does not load', async () => {
    const { status, lines } = await runTests({ a: PASSING, b: FAILING, c: "throw new Error('x')\n" })
    assert.equal(status, 1)
    assert.equal(lines.at(-1), '1 passed, 2 failed, 0 skipped')
  })

  it('fails when a required part is missing', async () => {
    const { status, lines } = await runTests({ a: PASSING, b: SKIPPING }, '--require', 'docker')
    assert.equal(status, 1)
    assert.equal(lines.at(-1), '1 passed, 1 failed, 0 skipped')
  })

  it('fails when nothing ran, and runs only what is asked for', async () => {
    assert.equal((await runTests({ a: PASSING }, 'nothing-of-this-name')).status, 1)
    const { lines } = await runTests({ a: PASSING, b: FAILING }, 'a.test')
    assert.equal(lines.at(-1), '1 passed, 0 failed, 0 skipped')
  })
})

describe('the gate in front of lib', () => {
  /** Runs one test of lib over one source of lib. */
  async function runGate(
    source: string,
    test: string,
    ...args: string[]
  ): Promise<ReturnType<typeof runTests>> {
    await using directory = await temporaryDirectory()
    await mkdir(directory.join('src', 'lib', 'x'), { recursive: true })
    await mkdir(directory.join('test', 'unit', 'lib', 'x'), { recursive: true })
    await writeFile(directory.join('src', 'lib', 'x', 'a.ts'), source)
    await writeFile(directory.join('src', 'lib', 'x', 'types.ts'), 'export interface Nothing {}\n')
    await writeFile(directory.join('test', 'unit', 'lib', 'x', 'a.test.ts'), test)
    return await run('--directory', directory.join('test'), '--sources', directory.join('src'), ...args)
  }
  const SOURCE = 'export function pick(a: number): string {\n  return a > 0 ? "more" : "less"\n}\n'
  const testWith = (calls: string): string =>
    `import { it } from 'node:test'\nimport { pick } from '../../../../src/lib/x/a.ts'\nit('picks', () => { ${calls} })\n`

  it('passes when every branch ran', async () => {
    const { status, lines } = await runGate(SOURCE, testWith('pick(1); pick(0)'))
    assert.equal(status, 0, lines.join('\n'))
    assert.equal(lines.at(-1), '1 passed, 0 failed, 0 skipped')
  })

  it('fails when a branch never ran, and names it', async () => {
    const { status, lines } = await runGate(SOURCE, testWith('pick(1)'))
    assert.equal(status, 1)
    assert.ok(
      lines.some(line => /a\.ts: no test of lib runs the branch at line 2$/.test(line)),
      lines.join('\n')
    )
  })

  it('fails when a file is loaded by no test', async () => {
    const { status, lines } = await runGate(SOURCE, PASSING)
    assert.equal(status, 1)
    assert.ok(
      lines.some(line => line.endsWith('a.ts is loaded by no test of lib')),
      lines.join('\n')
    )
  })

  it('is not asked when only some tests run', async () => {
    assert.equal((await runGate(SOURCE, testWith('pick(1)'), 'a.test')).status, 0)
  })
})

describe('the options of the test runner', () => {
  it('require docker and root on the build machine', () => {
    const options = readOptions(['--require', 'tun', 'x'], { CI: 'true', NUNET_REQUIRE: 'kvm, tun' })
    assert.ok(options !== 'help')
    assert.deepEqual([...options.required].sort(), ['docker', 'kvm', 'root', 'tun'])
    assert.deepEqual(options.filters, ['x'])
  })

  it('refuse what they do not know', () => {
    assert.throws(() => readOptions(['--kind', 'foo'], {}), /not a kind of test/)
    assert.throws(() => readOptions(['--foo'], {}), /foo/)
  })

  it('know the nightly run', () => {
    const options = readOptions(['--nightly'], {})
    assert.ok(options !== 'help' && options.nightly)
  })

  it('forbid a skip whose reason names a required part as a word', () => {
    assert.equal(isForbiddenSkip('needs docker: no engine', ['docker']), true)
    assert.equal(isForbiddenSkip('no chroot here', ['root']), false)
    assert.equal(isForbiddenSkip('whatever', ['all']), true)
    assert.equal(isForbiddenSkip('needs docker', []), false)
  })
})
