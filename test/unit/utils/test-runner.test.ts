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
  const { NODE_TEST_CONTEXT: _, NUNET_REQUIRE: __, CI: ___, ...env } = process.env
  const result = spawnSync(
    process.execPath,
    ['scripts/test.ts', '--fast', '--directory', directory.path, ...args],
    {
      cwd: SOURCE_ROOT,
      env,
      encoding: 'utf8'
    }
  )
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

  it('forbid a skip whose reason names a required part as a word', () => {
    assert.equal(isForbiddenSkip('needs docker: no engine', ['docker']), true)
    assert.equal(isForbiddenSkip('no chroot here', ['root']), false)
    assert.equal(isForbiddenSkip('whatever', ['all']), true)
    assert.equal(isForbiddenSkip('needs docker', []), false)
  })
})
