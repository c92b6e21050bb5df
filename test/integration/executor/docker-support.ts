/** What tests against a real Docker engine share: whether there is one, and an image made without a registry. */

import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDockerExecutor } from '../../../src/executor/docker/index.ts'
import type { Logger } from '../../../src/types/index.ts'
import { systemClock, systemRandom } from '../../../src/utils/index.ts'

const run = promisify(execFile)

/** A static busybox and nothing else. */
export const TEST_IMAGE = 'nunet-test-busybox:latest'

const COMMANDS = [
  'sh',
  'cat',
  'dd',
  'echo',
  'env',
  'false',
  'head',
  'httpd',
  'id',
  'ls',
  'mkdir',
  'nc',
  'printf',
  'pwd',
  'seq',
  'sleep',
  'tail',
  'true',
  'wget',
  'yes'
]

export const quietLog: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => quietLog
}

/** Why there is no Docker to test with; undefined when there is. With `docker` in NUNET_REQUIRE a missing one is a failure. */
export async function dockerMissing(): Promise<string | undefined> {
  const executor = createDockerExecutor(
    { clock: systemClock, random: systemRandom, log: quietLog },
    { ownerId: 'probe' }
  )
  const { available, reason } = await executor.fingerprint()
  await executor.close()
  if (available) return undefined
  if ((process.env['NUNET_REQUIRE'] ?? '').split(',').includes('docker'))
    throw new Error(`docker is required: ${reason}`)
  return `SKIPPED: no docker to test with: ${reason}`
}

/** Makes the test image from the local busybox unless it is there. */
export async function ensureTestImage(): Promise<void> {
  const isThere = await run('docker', ['image', 'inspect', TEST_IMAGE]).then(
    () => true,
    () => false
  )
  if (isThere) return
  const directory = await mkdtemp(join(tmpdir(), 'nunet-image-'))
  try {
    const bin = join(directory, 'root', 'bin')
    await mkdir(bin, { recursive: true })
    await mkdir(join(directory, 'root', 'tmp'), { mode: 0o1777 })
    await copyFile('/bin/busybox', join(bin, 'busybox'))
    for (const command of COMMANDS) await symlink('busybox', join(bin, command))
    const archive = join(directory, 'image.tar')
    await run('tar', ['-C', join(directory, 'root'), '-cf', archive, '.'])
    await run('docker', ['import', archive, TEST_IMAGE])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
