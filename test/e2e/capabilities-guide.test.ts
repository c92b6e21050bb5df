/** The guide to capabilities does what it says: each of its commands is run, in its order, with real daemons. */

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CLI, EXAMPLES, NODE_BINARY } from '../../scripts/lab/lab.ts'
import { freePort } from '../../scripts/lab/ports.ts'
import { temporaryDirectory } from '../utils/index.ts'
import { installWalletPrograms } from '../utils/wallet-programs.ts'
import { blocksOf, readPage, Shell } from './guide-runner.ts'

const PAGE = 'docs/capabilities.md'

/** Longest block: a deployment on a busy machine. Milliseconds. */
const BLOCK_LIMIT_MS = 120_000

test('every command of the guide to capabilities works as written', async t => {
  const written = ['9401', '9402', '9403', '9404', '9501', '9502', '9503', '9504']
  const ports = new Map<string, number>()
  for (const port of written) ports.set(port, await freePort())
  const blocks = blocksOf(await readPage(PAGE, ports))
  assert.ok(blocks.length > 15, 'the page has lost its blocks')

  await using home = await temporaryDirectory()
  const directory = join(home.path, 'try')
  const bin = join(home.path, 'bin')
  for (const path of [directory, bin]) mkdirSync(path)
  symlinkSync(EXAMPLES, join(home.path, 'examples'))
  writeFileSync(join(bin, 'nunet'), `#!/bin/sh\nexec '${NODE_BINARY}' '${CLI}' "$@"\n`)
  chmodSync(join(bin, 'nunet'), 0o755)
  installWalletPrograms(bin)
  await using shell = new Shell(directory, {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: home.path,
    NO_COLOR: '1',
    LANG: 'C.UTF-8'
  })
  for (const block of blocks) {
    const output = await shell.run(block, BLOCK_LIMIT_MS)
    t.diagnostic(`line ${block.line}: ${output.length} characters`)
  }
})
