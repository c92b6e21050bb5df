/** The command as a process: streams that are gone or full, and exit codes. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ENTRY = fileURLToPath(new URL('../../../bin/nunet.ts', import.meta.url))

/** Exit code and standard error of a run whose standard output goes to a descriptor. */
async function run(
  argv: readonly string[],
  output: number | 'closed'
): Promise<{ code: number; err: string }> {
  const child = spawn(process.execPath, [ENTRY, ...argv], {
    stdio: ['ignore', output === 'closed' ? 'pipe' : output, 'pipe']
  })
  if (output === 'closed') child.stdout?.destroy()
  let err = ''
  child.stderr?.on('data', chunk => {
    err += String(chunk)
  })
  const [code] = await once(child, 'close')
  return { code: Number(code), err }
}

describe('standard output', () => {
  for (const argv of [['--help'], ['version'], ['actor', 'cmd', '--help']]) {
    it(`of '${argv.join(' ')}' may be closed`, async () => {
      const { code, err } = await run(argv, 'closed')
      assert.deepEqual([code, err], [0, ''])
    })

    it(`of '${argv.join(' ')}' on a full disk is one line and exit code 1`, async () => {
      await using full = await open('/dev/full', 'w')
      const { code, err } = await run(argv, full.fd)
      assert.deepEqual(
        [code, err],
        [1, 'Error: cannot write the output: ENOSPC\nhint: free some space, or write elsewhere\n']
      )
    })
  }

  it('stays empty for mistakes', async () => {
    await using sink = await open('/dev/null', 'w')
    const { code, err } = await run(['no-such-command'], sink.fd)
    assert.deepEqual([code, /^Error: unknown command "no-such-command" for "nunet"\n/.test(err)], [1, true])
  })
})
