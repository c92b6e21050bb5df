/**
 * The table of all configuration keys (cli-api-config §5.2) and nothing else: types, defaults, the documentation
 * page, validation, environment variables and global flags all come from these rows. No schema library: every
 * CLI command loads this, and the one used elsewhere costs 50 ms.
 */

import { type ConfigKey, type DefaultSources, key } from './key.ts'

const LATER = { effective: false } as const
const PORT = { minimum: 0, maximum: 65_535 } as const

const inside = (directory: string, path: string) => ({
  defaultText: `<${directory}>/${path}`,
  derive: ({ at }: DefaultSources): string => `${at(directory)}/${path}`
})

const inHome = (path: string) => ({
  defaultText: `~/${path}`,
  derive: ({ homeDirectory }: DefaultSources): string => `${homeDirectory}/${path}`
})

/** Levels of the existing system; `dpanic`, `panic` and `fatal` mean `error` here. */
const LEVELS = ['debug', 'info', 'warn', 'warning', 'error', 'dpanic', 'panic', 'fatal']

/** Peers of the public network (cli-api-config §5.4). */
const BOOTSTRAP_PEERS = [
  '12D3KooWHzew9HTYzywFuvTHGK5Yzoz7qAhMfxagtCvhvjheoBQ3',
  '12D3KooWJMtMN1mTNRfgMqUygT7eSXamVzc9ihpSjeairm9PebmB',
  '12D3KooWKjSodxxi7UfRHzuk7eGgUF49MoPUCJvtva9K12TqDDsi'
].map(peer => `/dnsaddr/bootstrap.p2p.nunet.io/p2p/${peer}`)

const GENERAL: readonly ConfigKey[] = [
  key('general.env', 'string', 'production', 'Name of the environment, shown in logs.'),
  key('general.user_dir', 'path', '', 'Keys and capability contexts.', {
    flag: 'user-dir',
    ...inHome('.nunet')
  }),
  key('general.work_dir', 'path', '', 'Database, deployment logs and other work files.', {
    flag: 'work-dir',
    ...inHome('nunet')
  }),
  key('general.data_dir', 'path', '', 'Data of workloads.', {
    flag: 'data-dir',
    ...inside('general.work_dir', 'data')
  }),
  key('general.debug', 'boolean', false, 'Logs everything, whatever the log level says.', { flag: 'debug' }),
  key('general.host_city', 'string', '', 'City to report instead of the one found.'),
  key('general.host_country', 'string', '', 'Country to report, as its two-letter code.'),
  key('general.host_continent', 'string', '', 'Continent to report.'),
  key(
    'general.port_available_range_from',
    'integer',
    16_384,
    'First port of this machine workloads may be published on.',
    {
      minimum: 1,
      maximum: 65_535
    }
  ),
  key('general.port_available_range_to', 'integer', 65_536, 'End of that range, not part of it.', {
    minimum: 2,
    maximum: 65_536
  }),
  key('general.storage_mode', 'boolean', false, 'Offers storage volumes.', LATER),
  key('general.storage_ca_directory', 'path', '', 'Certificates of the storage service.', {
    ...LATER,
    ...inside('general.user_dir', 'storage_ca_directory')
  }),
  key('general.storage_bricks_dir', 'path', '', 'Data of the storage service.', {
    ...LATER,
    ...inside('general.user_dir', 'storage_bricks_dir')
  }),
  key('general.storage_glusterfs_hostname', 'string', '', 'Host name of the storage service.', LATER),
  key('general.compute_gateway', 'boolean', false, 'Acts as a gateway to other compute providers.', LATER),
  key(
    'general.providers',
    'any',
    null,
    'Compute providers behind the gateway: a list of `{name, type, config}`.',
    LATER
  ),
  key('general.payment_provider.mode', 'boolean', false, 'Handles payments.', LATER),
  key(
    'general.payment_provider.ethereum_rpc_url',
    'string',
    'https://ethereum-sepolia-rpc.publicnode.com',
    'Ethereum node to ask.',
    LATER
  ),
  key('general.payment_provider.ethereum_rpc_token', 'string', '', 'Access token of that node.', {
    ...LATER,
    secret: true
  }),
  key(
    'general.payment_provider.ntx_contract_address',
    'string',
    '0xB37216b70a745129966E553cF8Ee2C51e1cB359A',
    'Contract of the NTX token.',
    LATER
  ),
  key('general.payment_provider.block_frost_api_url', 'string', '', 'Cardano node to ask.', LATER),
  key('general.payment_provider.block_frost_api_key', 'string', '', 'API key of that node.', {
    ...LATER,
    secret: true
  }),
  key('general.payment_provider.cardano_asset_name', 'string', '', 'Name of the token on Cardano.', LATER),
  key(
    'general.payment_provider.cardano_asset_policy_id',
    'string',
    '',
    'Policy of the token on Cardano.',
    LATER
  )
]

const NETWORK: readonly ConfigKey[] = [
  key('rest.addr', 'string', '127.0.0.1', 'Address the REST API listens on.', { flag: 'rest-addr' }),
  key('rest.port', 'integer', 9999, 'Port of the REST API; 0 takes any free one.', {
    flag: 'rest-port',
    ...PORT
  }),
  key('profiler.enabled', 'boolean', true, 'Serves the profiler.', { ...LATER, flag: 'profiler-enabled' }),
  key('profiler.addr', 'string', '127.0.0.1', 'Address of the profiler.', {
    ...LATER,
    flag: 'profiler-addr'
  }),
  key('profiler.port', 'integer', 6060, 'Port of the profiler.', {
    ...LATER,
    flag: 'profiler-port',
    ...PORT
  }),
  key(
    'p2p.listen_address',
    'list',
    ['/ip4/0.0.0.0/tcp/9000', '/ip4/0.0.0.0/udp/9000/quic-v1'],
    'Multiaddresses to listen on.'
  ),
  key(
    'p2p.bootstrap_peers',
    'list',
    BOOTSTRAP_PEERS,
    'Peers to join the network through; an empty list starts a network of its own.'
  ),
  key('p2p.memory', 'integer', 1024, 'Memory the network host may use, in MiB.', {
    minimum: 1,
    maximum: 2 ** 31
  }),
  key('p2p.fd', 'integer', 512, 'File descriptors the network host may use.', {
    minimum: 1,
    maximum: 2 ** 31
  })
]

const IDENTITY: readonly ConfigKey[] = [
  key(
    'did.prism_resolver',
    'url',
    '',
    'Base address of a PRISM resolver, asked for `<address>/api/dids/<did>`; empty: keys of `did:prism` are not known.'
  )
]

const WORKLOADS: readonly ConfigKey[] = [
  key(
    'job.allow_privileged_docker',
    'boolean',
    false,
    'Lets containers run privileged: whoever deploys then owns this machine.'
  ),
  key(
    'job.require_contracts_for_deployment',
    'boolean',
    false,
    'Refuses deployments without a contract.',
    LATER
  ),
  ...[
    'socket_path',
    'namespace',
    'config_path',
    'cni_net_conf_dir',
    'cni_plugin_dir',
    'cni_network_name',
    'cni_bridge_iface',
    'netns_base_dir'
  ].map(name => key(`job.containerd.${name}`, 'string', '', 'Setting of the containerd executor.', LATER)),
  key('executor.wasm.enabled', 'boolean', true, 'Runs WebAssembly workloads in the embedded executor.'),
  key('executor.docker.enabled', 'boolean', true, 'Runs containers where a Docker engine answers.'),
  key(
    'executor.docker.socket',
    'string',
    '',
    "Path of the engine's socket; empty: `DOCKER_HOST`, then the usual places."
  )
]

const OBSERVABILITY: readonly ConfigKey[] = [
  key('observability.logging.level', 'string', 'INFO', 'Least severe level that is logged.', {
    choices: LEVELS
  }),
  key(
    'observability.logging.file',
    'path',
    '',
    'Log of the daemon, one JSON object per line; `-` for none.',
    {
      ...inside('general.work_dir', 'logs/nunet-dms-logs.jsonl')
    }
  ),
  key(
    'observability.logging.rotation.max_size_mb',
    'integer',
    100,
    'Size at which a new log file is begun, in MB.',
    {
      minimum: 1,
      maximum: 1_000_000
    }
  ),
  key('observability.logging.rotation.max_backups', 'integer', 3, 'Old log files kept; 0 keeps all.', {
    minimum: 0
  }),
  key(
    'observability.logging.rotation.max_age_days',
    'integer',
    28,
    'Days an old log file is kept; 0 means for ever.',
    { minimum: 0 }
  ),
  key(
    'observability.elastic.url',
    'string',
    'https://telemetry.nunet.io',
    'Elasticsearch to send logs to.',
    LATER
  ),
  key('observability.elastic.index', 'string', 'nunet-dms', 'Index for the logs.', LATER),
  key('observability.elastic.flush_interval', 'integer', 5, 'Seconds between two deliveries.', {
    ...LATER,
    minimum: 1
  }),
  key('observability.elastic.enabled', 'boolean', false, 'Sends logs to Elasticsearch.', LATER),
  key('observability.elastic.api_key', 'string', '', 'API key for Elasticsearch.', {
    ...LATER,
    secret: true
  }),
  key('observability.elastic.insecure_skip_verify', 'boolean', false, 'Accepts any certificate.', LATER),
  key('observability.otel.enabled', 'boolean', false, 'Sends metrics by OpenTelemetry.', LATER),
  key('observability.otel.endpoint', 'string', '', 'Collector as `host:port` (gRPC).', LATER),
  key('observability.otel.insecure', 'boolean', false, 'Talks to the collector without TLS.', LATER),
  key('apm.server_url', 'string', 'https://apm.telemetry.nunet.io', 'Server for traces.', LATER),
  key('apm.service_name', 'string', 'nunet-dms', 'Name of this service in traces.', LATER),
  key('apm.environment', 'string', 'production', 'Environment in traces.', LATER),
  key('apm.api_key', 'string', '', 'API key of the trace server.', { ...LATER, secret: true }),
  key('apm.secret_token', 'string', '', 'Token of a local trace server.', { ...LATER, secret: true }),
  key('coinmarketcap.api_key', 'string', '', 'API key for token prices.', { ...LATER, secret: true }),
  ...['base_url', 'endpoint_path', 'cache_ttl', 'quote_ttl'].map(name =>
    key(`coinmarketcap.${name}`, 'string', '', 'Setting of the price service.', LATER)
  )
]

/** All keys, in the order they are shown. */
export const KEYS: readonly ConfigKey[] = [
  ...GENERAL,
  ...NETWORK,
  ...IDENTITY,
  ...WORKLOADS,
  ...OBSERVABILITY
]

const BY_NAME: ReadonlyMap<string, ConfigKey> = new Map(KEYS.map(row => [row.key, row]))

/** The row of a dotted key, whatever its case. */
export function findKey(name: string): ConfigKey | undefined {
  return BY_NAME.get(name.toLowerCase())
}

/** Names above keys: `rest`, `observability`, `observability.logging` … */
export const SECTIONS: ReadonlySet<string> = new Set(
  KEYS.flatMap(row => {
    const parts = row.key.split('.').slice(0, -1)
    return parts.map((_, index) => parts.slice(0, index + 1).join('.'))
  })
)

/** Whether a dotted name, in lower case, stands above keys. */
export function isSection(name: string): boolean {
  return SECTIONS.has(name)
}

/** A flat key of early releases (services §2.3). */
export interface LegacyKey {
  /** Key that holds the value now. */
  readonly key: string
  /** Whether the old value wins when both are set, as the existing loader decides (cli-api-config §5.3). */
  readonly overwrites: boolean
}

/** By old dotted key. */
export const LEGACY_KEYS: ReadonlyMap<string, LegacyKey> = new Map(
  (
    [
      ['log_level', 'logging.level', false],
      ['log_file', 'logging.file', false],
      ['max_size', 'logging.rotation.max_size_mb', false],
      ['max_backups', 'logging.rotation.max_backups', false],
      ['max_age', 'logging.rotation.max_age_days', false],
      ['elasticsearch_url', 'elastic.url', true],
      ['elasticsearch_index', 'elastic.index', true],
      ['flush_interval', 'elastic.flush_interval', true],
      ['elasticsearch_enabled', 'elastic.enabled', false],
      ['elasticsearch_api_key', 'elastic.api_key', false],
      ['insecure_skip_verify', 'elastic.insecure_skip_verify', false]
    ] as const
  ).map(([old, now, overwrites]) => [`observability.${old}`, { key: `observability.${now}`, overwrites }])
)
