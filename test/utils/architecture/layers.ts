/** The tables of the architecture: layers, order inside a layer, homes of packages, named exceptions. */

/** Layer by top folder of `src` (house rules, "Our house"). A folder that is not listed is a violation. */
export const LAYERS: ReadonlyMap<string, number> = new Map([
  ['types', 0],
  ['utils', 1],
  ['lib', 2],
  ['config', 3],
  ['observability', 3],
  ['tasks', 3],
  ['db', 3],
  ['storage', 3],
  ['hardware', 3],
  ['executor', 3],
  ['network', 3],
  ['key-agent', 3],
  ['actor', 4],
  ['tokenomics', 4],
  ['plugins', 4],
  ['dms', 5],
  ['api', 6],
  ['daemon', 7],
  ['cmd', 8]
])

/** Folders whose sub-folders are domains of their own, in the order they may import: each only what follows it. */
export const INNER_ORDER: ReadonlyMap<string, readonly string[]> = new Map([
  ['lib', ['ucan', 'did', 'crypto']],
  [
    'dms',
    [
      'node',
      'orchestrator',
      'supervision',
      'jobs',
      'onboarding',
      'resources',
      'expiry',
      'grants',
      'revocation',
      'ensemble'
    ]
  ]
])

/** Doors beside a domain's own: who may import them, by prefix. Everyone else knows the contract only. */
export const SIDE_DOORS: ReadonlyMap<string, readonly string[]> = new Map([
  ['src/network/libp2p/index.ts', ['src/daemon/']],
  ['src/executor/docker/index.ts', ['src/daemon/']],
  ['src/executor/wasm/index.ts', ['src/daemon/']],
  ['src/executor/mock/index.ts', ['src/daemon/']],
  // Envelopes without the actor: what the CLI and the REST bridge need, at a fraction of the loading time.
  ['src/actor/message/index.ts', ['src/api/', 'src/cmd/', 'src/daemon/']],
  // The file reader without the schema of the wire form: half the loading time of the commands that check a file.
  ['src/dms/ensemble/file/index.ts', ['src/cmd/']],
  ['src/api/client/index.ts', ['src/cmd/', 'src/daemon/']]
])

/** Domains only some may import. */
export const RESTRICTED_DOMAINS: ReadonlyMap<string, readonly string[]> = new Map([
  ['observability', ['src/daemon/', 'src/cmd/']],
  ['config', ['src/daemon/', 'src/cmd/']],
  ['key-agent', ['src/cmd/']]
])

/** Where a package may be imported, by prefix; `!` excludes. One that is not listed may not be used in `src`. */
export const PACKAGE_HOMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['libp2p', ['src/network/libp2p/']],
  ['@libp2p/', ['src/network/libp2p/']],
  ['@chainsafe/', ['src/network/libp2p/']],
  ['@multiformats/', ['src/network/libp2p/']],
  ['multiformats', ['src/lib/', 'src/network/libp2p/']],
  ['@noble/', ['src/lib/crypto/']],
  ['yaml', ['src/dms/ensemble/']],
  ['lru-cache', ['src/actor/', 'src/network/']],
  // Costs 50 ms to load: not in what every CLI command loads, and not in the pure library.
  [
    'zod',
    [
      'src/executor/',
      'src/network/',
      'src/storage/',
      'src/tasks/',
      'src/actor/',
      'src/tokenomics/',
      'src/plugins/',
      'src/dms/',
      'src/api/',
      '!src/api/client/'
    ]
  ],
  ['node:sqlite', ['src/db/']],
  // 15 ms to load: only where the system is asked who is at the other end of a socket.
  ['koffi', ['src/key-agent/']]
])

/** Rules a checker reports. */
export type Rule =
  | 'layer'
  | 'door'
  | 'package'
  | 'cycle'
  | 'import'
  | 'time'
  | 'random'
  | 'environment'
  | 'console'
  | 'exit'
  | 'length'
  | 'export'
  | 'documentation'

/** A file that may break a rule, and why. An exception nothing needs is itself reported. */
export interface Exception {
  readonly file: string
  readonly rules: readonly Rule[]
  readonly reason: string
}

export const EXCEPTIONS: readonly Exception[] = [
  { file: 'src/utils/system-clock.ts', rules: ['time'], reason: 'implements the clock' },
  {
    file: 'src/utils/virtual-clock.ts',
    rules: ['time'],
    reason: 'implements the clock; lets finished work settle'
  },
  { file: 'src/utils/system-random.ts', rules: ['random'], reason: 'implements the source of randomness' },
  { file: 'src/config/environment.ts', rules: ['environment'], reason: 'the only reader of the environment' }
]
