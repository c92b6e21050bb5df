/**
 * What the end-to-end tests share: waiting for a condition with a deadline, ensembles with free ports written into
 * the directory of a node, and readings of what the command line prints. The daemons themselves are made by the lab.
 */

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasDocker, type LocalImage, ownBusybox } from '../../scripts/lab/docker.ts'
import { type CommandResult, EXAMPLES, type LabNode, readPath } from '../../scripts/lab/lab.ts'

/** Between two looks at a condition. Milliseconds. */
const POLL_MS = 100

/** Longest wait for something that should come soon, on a machine that is busy. Milliseconds. */
export const SOON_MS = 60_000

/** The first value of `probe` that is neither `undefined` nor `false`. Fails when it does not come in time. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs: number = SOON_MS
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) assert.fail(`not within ${timeoutMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
}

const SMALL = { cpu: { cores: 0.25 }, ram: { size: '64 MiB' }, disk: { size: '16 MiB' } }

/** A WASM workload of the examples. */
export function wasm(module: string, options: Record<string, unknown> = {}): Record<string, unknown> {
  const { type = 'task', ...execution } = options
  const source = module.startsWith('data:') ? module : `./${module}.wasm`
  return {
    type,
    executor: 'wasm',
    resources: SMALL,
    execution: { type: 'wasm', module: source, ...execution }
  }
}

/** A container that runs a shell script. */
export function docker(image: string, script: string, type = 'service'): Record<string, unknown> {
  const execution = { type: 'docker', image, cmd: ['sh', '-c', script] }
  return { type, executor: 'docker', resources: { ...SMALL, disk: { size: '64 MiB' } }, execution }
}

/** Writes an ensemble into the directory of a node, with the modules of the examples beside it; returns its path. */
export async function writeEnsemble(
  node: LabNode,
  name: string,
  allocations: Record<string, unknown>,
  nodes: Record<string, unknown>
): Promise<string> {
  const path = join(node.directory, `${name}.yaml`)
  const { copyFile } = await import('node:fs/promises')
  for (const module of ['hello', 'primes', 'ticker'])
    await copyFile(join(EXAMPLES, 'wasm', `${module}.wasm`), join(node.directory, `${module}.wasm`))
  // Every JSON text is YAML.
  await writeFile(path, JSON.stringify({ version: 'V1', allocations, nodes }, null, 2))
  return path
}

/** Deploys the way existing clients do; returns the id of the ensemble. */
export async function deployByActor(node: LabNode, file: string): Promise<string> {
  const reply = await node.cmd('/dms/node/deployment/new', '-f', file, '-t', '120s')
  assert.equal(reply['Status'], 'OK', JSON.stringify(reply))
  return String(reply['EnsembleID'])
}

/** Waits for a status of a deployment; a failed one is told with its reasons. */
export async function untilStatus(node: LabNode, id: string, wanted: string): Promise<void> {
  await until(`deployment is ${wanted}`, async () => {
    const { status, error } = await node.cmd('/dms/node/deployment/status', '--id', id)
    if (status === 'Failed' && wanted !== 'Failed') assert.fail(`deployment failed: ${String(error)}`)
    return status === wanted
  })
}

/** Asserts that a provider has everything back. */
export async function assertNothingAllocated(node: LabNode): Promise<void> {
  const reply = await node.cmd('/dms/node/resources/allocated')
  const amounts = ['cpu.cores', 'ram.size', 'disk.size'].map(path =>
    readPath(reply, ['Resources', ...path.split('.')])
  )
  assert.deepEqual(amounts, [0, 0, 0], `${node.name} still holds ${JSON.stringify(reply)}`)
  assert.deepEqual(await liveAllocations(node), [], `${node.name} still lists allocations`)
}

const ENDED: readonly unknown[] = ['completed', 'failed', 'terminated', 'stopped']

/** Ids of the allocations of a provider that have not ended; ended ones stay listed for a while. */
export async function liveAllocations(node: LabNode): Promise<string[]> {
  const { allocations } = await node.cmd('/dms/node/allocations/list')
  assert.ok(Array.isArray(allocations))
  return allocations.filter(({ status }) => !ENDED.includes(status)).map(({ id }) => String(id))
}

/** Peer that runs a node of an ensemble. */
export async function peerOf(node: LabNode, id: string, ensembleNode: string): Promise<string> {
  const reply = await node.cmd('/dms/node/deployment/manifest', '--id', id)
  return String(readPath(reply, ['manifest', 'nodes', ensembleNode, 'peer']))
}

/** Fetches until the server answers; it may need a moment after its start. */
export async function fetchPatiently(url: string): Promise<string> {
  return await until(`an answer from ${url}`, async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5000) })
      return response.ok ? await response.text() : undefined
    } catch {
      return undefined
    }
  })
}

/** Asserts that a command failed as a tool should: exit code, one line that says what, one that says what to do. */
export function assertFailedPlainly(result: CommandResult, message: RegExp, code = 1): void {
  assert.equal(result.code, code, result.stderr)
  assert.equal(result.stdout, '')
  assertPlain(result.stderr, message)
}

/** Asserts that a text is one error line, and at most one hint. */
export function assertPlain(stderr: string, message: RegExp): void {
  const lines = stderr.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^Error: /, stderr)
  assert.match(lines[0] ?? '', message)
  assert.ok(lines.length <= 2, `more than an error and a hint:\n${stderr}`)
  if (lines[1] !== undefined) assert.match(lines[1], /^hint: \S/, stderr)
  assert.doesNotMatch(stderr, /fault of the program|\n\s+at /)
}

/** An image with a shell for tests that need containers, or why there is none. */
export async function dockerImage(): Promise<LocalImage | string> {
  return (await hasDocker()) ? await ownBusybox() : 'no engine answers on /var/run/docker.sock'
}

/** Options of such a test: skipped with the reason, or, where Docker is required, run and so failing at `nameOf`. */
export function needsDocker(image: LocalImage | string): { skip: false | string } {
  const required = (process.env['NUNET_REQUIRE'] ?? '').split(',')
  const isRequired = required.includes('docker') || required.includes('all')
  return { skip: typeof image === 'string' && !isRequired && `needs docker: ${image}` }
}

/** The name of the image. Fails when there is none. */
export function nameOf(image: LocalImage | string): string {
  assert.ok(typeof image !== 'string', `docker is required: ${String(image)}`)
  return image.name
}
