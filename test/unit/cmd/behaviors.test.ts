/** The payloads `actor cmd` sends, against cli-api-config §6 and §7.2. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BEHAVIORS } from '../../../src/cmd/actor/cmd/behaviors.ts'
import type { PayloadSource } from '../../../src/cmd/actor/cmd/types.ts'
import type { Cli } from '../../../src/cmd/cli/command.ts'
import { type FlagValues, parseFlags } from '../../../src/cmd/cli/flags.ts'
import { loadConfig, readEnvironment } from '../../../src/config/index.ts'
import { GIB, MemoryFiles, SeededRandom, VirtualClock } from '../../../src/utils/index.ts'
import { MemoryTerminal } from './harness.ts'

const clock = new VirtualClock()

function source(
  terminal: MemoryTerminal,
  replies: Record<string, Record<string, unknown>> = {}
): PayloadSource {
  const environment = readEnvironment({ HOME: '/home/none' })
  const cli: Cli = {
    terminal,
    clock,
    random: new SeededRandom(1),
    files: new MemoryFiles(),
    environment,
    directory: '/',
    signal: new AbortController().signal
  }
  const { config } = loadConfig({
    env: environment,
    cwd: '/nowhere',
    homeDirectory: '/home/none',
    files: { read: () => undefined, write: () => undefined }
  })
  return { cli, config, ask: async behavior => replies[behavior] ?? assert.fail(`asked ${behavior}`) }
}

async function payloadOf(
  path: string,
  args: string[],
  from: PayloadSource = source(new MemoryTerminal())
): Promise<unknown> {
  const row = BEHAVIORS.find(each => each.path === path) ?? assert.fail(path)
  const parsed = parseFlags(row.flags ?? {}, args)
  const flags = Object.fromEntries(parsed.values) as FlagValues<Record<string, never>> // read by this very table
  const payload: unknown =
    row.prepare === undefined
      ? row.payload?.(flags, parsed.given)
      : await (await row.prepare()).make(flags, from)
  return payload === undefined ? undefined : JSON.parse(JSON.stringify(payload))
}

const SPEC = {
  OK: true,
  Resources: { cpu: { cores: 4, clock_speed: 2.5e9 }, ram: { size: 8 * GIB }, disk: { size: 1 } }
}
const GPU = {
  index: 1,
  vendor: 'NVIDIA',
  pci_address: '0000:00:1e.0',
  model: 'T4',
  vram: 16 * GIB,
  uuid: 'u'
}

describe('payloads of actor cmd', () => {
  for (const [path, args, payload] of [
    ['/public/hello', [], undefined],
    ['/dms/node/peers/ping', ['-H', 'p'], { Host: 'p' }],
    ['/dms/node/peers/connect', ['-a', '/ip4/…'], { Address: '/ip4/…' }],
    ['/dms/node/deployment/status', ['-i', 'x'], { id: 'x' }],
    ['/dms/node/deployment/status', ['-i', 'x', '-u'], { id: 'x', include_usage: true }],
    ['/dms/node/deployment/manifest', ['-i', 'x'], { ID: 'x' }],
    ['/dms/node/deployment/logs', ['-i', 'x', '-a', 'n.a'], { EnsembleID: 'x', AllocationName: 'n.a' }],
    [
      '/dms/node/deployment/info',
      ['-i', 'x', '--logs', '--allocations', 'a,b'],
      { id: 'x', include_usage: false, include_logs: true, allocation_names: ['a', 'b'] }
    ],
    ['/dms/node/deployment/shutdown', ['-i', 'x'], { ID: 'x' }],
    ['/dms/node/deployment/prune', ['--before', '7d'], { before: '7d' }],
    ['/dms/node/deployment/prune', ['-a'], { all: true }],
    ['/dms/node/deployment/delete', ['--id', 'x'], { orchestrator_id: 'x' }],
    ['/dms/node/logger/config', ['-l', 'debug'], { level: 'debug' }],
    [
      '/dms/node/logger/config',
      ['-i', '5', '--enable-elastic=false'],
      { interval: 5, elastic_enabled: false }
    ],
    ['/dms/cap/list', ['-c', 'dms'], { Context: 'dms' }],
    ['/dms/node/deployment/list', [], { metadata: {}, sort_by: '-created_at' }]
  ] as const) {
    it(`${path} ${args.join(' ')}`, async () => assert.deepEqual(await payloadOf(path, [...args]), payload))
  }

  it('deployment/list takes ages and names without regard to case, and says what it leaves out', async () => {
    const terminal = new MemoryTerminal()
    const args = [
      '-f',
      'team=a',
      '--limit',
      '5',
      '--status',
      'RUNNING,bogus',
      '--created-after',
      '1h',
      '--updated-before',
      '2026-01-02'
    ]
    assert.deepEqual(await payloadOf('/dms/node/deployment/list', args, source(terminal)), {
      metadata: { team: 'a' },
      limit: 5,
      status: ['Running'],
      created_after: new Date(clock.nowMs() - 3_600_000).toISOString(),
      updated_before: '2026-01-02T00:00:00.000Z',
      sort_by: '-created_at'
    })
    assert.match(terminal.talk, /there is no status 'bogus'/)
    await assert.rejects(
      payloadOf('/dms/node/deployment/list', ['--created-after', 'soon'], source(terminal)),
      { code: 'CLI_USAGE' }
    )
  })

  it('onboard takes the clock speed from the machine and sizes with units, GiB by default', async () => {
    const terminal = new MemoryTerminal()
    const payload = await payloadOf(
      '/dms/node/onboarding/onboard',
      ['-C', '1.5', '-R', '2', '-D', '512MiB', '-N'],
      source(terminal, { '/dms/node/hardware/spec': SPEC })
    )
    assert.deepEqual(payload, {
      NoGPU: true,
      GPUs: '',
      Config: {
        is_onboarded: false,
        onboarded_resources: {
          cpu: { clock_speed: 2.5e9, cores: 1.5 },
          gpus: [],
          ram: { size: 2 * GIB },
          disk: { size: GIB / 2 }
        }
      }
    })
    assert.equal(terminal.output, 'Skipping GPU selection.\n')
  })

  it('onboard offers GPUs by index and refuses what the machine lacks', async () => {
    const replies = { '/dms/node/hardware/spec': { OK: true, Resources: { ...SPEC.Resources, gpus: [GPU] } } }
    const base = ['-C', '1', '-R', '2', '-D', '2']
    const onboard = (...more: string[]) =>
      payloadOf('/dms/node/onboarding/onboard', [...base, ...more], source(new MemoryTerminal(), replies))
    assert.deepEqual(JSON.parse(JSON.stringify(await onboard('-G', '1:4'))).Config.onboarded_resources.gpus, [
      { ...GPU, vram: 4 * GIB }
    ])
    await assert.rejects(onboard('-G', '7:4'), { code: 'CLI_FAILED', message: 'there is no GPU 7' })
    await assert.rejects(onboard('-G', '1-4'), { code: 'CLI_USAGE' })
    await assert.rejects(onboard(), { code: 'CLI_FAILED', hint: "use --gpus 'index:vram' or --no-gpu" })
    await assert.rejects(onboard('-R', 'lots'), { code: 'CLI_USAGE' })
  })

  it('onboard stops when the node cannot tell its hardware', async () => {
    const replies = { '/dms/node/hardware/spec': { OK: false, error: 'no /proc' } }
    await assert.rejects(
      payloadOf(
        '/dms/node/onboarding/onboard',
        ['-C', '1', '-R', '2', '-D', '2'],
        source(new MemoryTerminal(), replies)
      ),
      /no \/proc/
    )
  })
})
