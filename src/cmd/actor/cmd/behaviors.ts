/**
 * The behaviours `actor cmd` knows, with their flags and payloads (cli-api-config §3 and §6). One row each; a
 * payload's member names are those of the wire.
 */

import { behavior } from './behavior.ts'
import { capabilities } from './capabilities.ts'
import { listRequest } from './deployment-list.ts'
import { prepareOnboarding } from './onboard.ts'
import type { BehaviorSpec } from './types.ts'

/** Replies to a broadcast are waited for until it expires, so a short life; -t makes it longer. */
const BROADCAST_TIMEOUT_MS = 5000

/** A deployment has as long as its message lives, and less than a minute is refused (deployment §2.3). */
const DEPLOYMENT_TIMEOUT_MS = 5 * 60_000

const DEPLOYMENT_ID = { kind: 'string', short: 'i', description: 'deployment id', required: true } as const

const general: readonly BehaviorSpec[] = [
  behavior({ path: '/public/hello', summary: 'ask a node who it is' }),
  behavior({ path: '/public/status', summary: 'ask a node what hardware it has' }),
  behavior({ path: '/dms/node/status', summary: 'ask how a node is, and how long its capabilities last' }),
  behavior({
    path: '/broadcast/hello',
    summary: 'ask all nodes who they are',
    topic: '/nunet/hello',
    timeoutMs: BROADCAST_TIMEOUT_MS,
    examples: ['nunet actor cmd -c user -t 10s /broadcast/hello']
  })
]

const peers: readonly BehaviorSpec[] = [
  behavior({ path: '/dms/node/peers/list', summary: 'list the peers a node knows' }),
  behavior({ path: '/dms/node/peers/self', summary: "show a node's peer id and addresses" }),
  behavior({
    path: '/dms/node/peers/ping',
    summary: 'measure the round trip to a peer',
    flags: { host: { kind: 'string', short: 'H', description: 'peer id', required: true } },
    examples: ['nunet actor cmd -c user /dms/node/peers/ping --host 12D3KooW…'],
    payload: flags => ({ Host: flags.host })
  }),
  behavior({ path: '/dms/node/peers/dht', summary: 'list the peers in the routing table' }),
  behavior({
    path: '/dms/node/peers/connect',
    summary: 'connect to a peer',
    flags: {
      address: {
        kind: 'string',
        short: 'a',
        description: 'multiaddress that ends in /p2p/<peer id>',
        required: true
      }
    },
    examples: [
      'nunet actor cmd -c user /dms/node/peers/connect --address /ip4/192.0.2.1/tcp/9000/p2p/12D3KooW…'
    ],
    payload: flags => ({ Address: flags.address })
  }),
  behavior({ path: '/dms/node/peers/score', summary: 'show how gossip scores the peers' })
]

const SIZE_HINT = 'with a unit, for example 2GiB or 512MiB; a bare number is GiB'

const onboarding: readonly BehaviorSpec[] = [
  behavior({
    path: '/dms/node/onboarding/onboard',
    summary: "offer a share of the machine's hardware to the network",
    flags: {
      cpu: { kind: 'float', short: 'C', description: 'cores', required: true },
      ram: { kind: 'string', short: 'R', description: `memory, ${SIZE_HINT}`, required: true },
      disk: { kind: 'string', short: 'D', description: `disk space, ${SIZE_HINT}`, required: true },
      gpus: {
        kind: 'string',
        short: 'G',
        description: 'index:vram[,index:vram…], VRAM in GiB unless it has a unit'
      },
      'no-gpu': { kind: 'bool', short: 'N', description: 'offer no GPU' }
    },
    examples: [
      'nunet actor cmd -c user /dms/node/onboarding/onboard --cpu 2 --ram 4GiB --disk 20GiB --no-gpu'
    ],
    prepare: async () => ({ make: prepareOnboarding })
  }),
  behavior({ path: '/dms/node/onboarding/offboard', summary: 'take the offer back' }),
  behavior({ path: '/dms/node/onboarding/status', summary: 'tell whether the machine is onboarded' })
]

const deployments: readonly BehaviorSpec[] = [
  behavior({
    path: '/dms/node/deployment/new',
    summary: 'deploy an ensemble',
    flags: {
      'spec-file': { kind: 'string', short: 'f', description: 'ensemble file', default: 'ensemble.yaml' }
    },
    timeoutMs: DEPLOYMENT_TIMEOUT_MS,
    examples: ['nunet actor cmd -c user -t 10m /dms/node/deployment/new -f ensemble.yaml'],
    prepare: async () => {
      const { readEnsemble } = await import('../../ensemble/read.ts')
      return { make: async (flags, { cli }) => ({ Ensemble: await readEnsemble(cli, flags['spec-file']) }) }
    }
  }),
  behavior({
    path: '/dms/node/deployment/list',
    summary: 'list the deployments of a node',
    flags: {
      filter: { kind: 'pairs', short: 'f', description: 'metadata key=value; repeatable' },
      limit: { kind: 'int', description: 'at most so many; 0 is all', default: '0' },
      offset: { kind: 'int', description: 'leave out so many', default: '0' },
      status: { kind: 'strings', description: 'only these statuses' },
      'created-after': { kind: 'string', description: 'time, or an age such as 7d' },
      'created-before': { kind: 'string', description: 'time, or an age' },
      'updated-after': { kind: 'string', description: 'time, or an age' },
      'updated-before': { kind: 'string', description: 'time, or an age' },
      sort: { kind: 'string', description: 'field, with - in front for descending', default: '-created_at' }
    },
    examples: [
      'nunet actor cmd -c user /dms/node/deployment/list --status running,failed --created-after 7d'
    ],
    prepare: async () => ({ make: async (flags, { cli }) => listRequest(flags, cli) })
  }),
  behavior({
    path: '/dms/node/deployment/status',
    summary: 'show the status of a deployment',
    flags: {
      id: DEPLOYMENT_ID,
      'include-usage': { kind: 'bool', short: 'u', description: 'with resource usage' }
    },
    examples: ['nunet actor cmd -c user /dms/node/deployment/status --id <id>'],
    payload: flags => ({ id: flags.id, ...(flags['include-usage'] ? { include_usage: true } : {}) })
  }),
  behavior({
    path: '/dms/node/deployment/manifest',
    summary: 'show what runs where in a deployment',
    flags: { id: DEPLOYMENT_ID },
    examples: ['nunet actor cmd -c user /dms/node/deployment/manifest --id <id>'],
    payload: flags => ({ ID: flags.id })
  }),
  behavior({
    path: '/dms/node/deployment/logs',
    summary: "fetch an allocation's logs to the node's disk",
    flags: {
      id: DEPLOYMENT_ID,
      allocation: {
        kind: 'string',
        short: 'a',
        description: 'allocation as <node>.<allocation>',
        required: true
      }
    },
    examples: ['nunet actor cmd -c user /dms/node/deployment/logs --id <id> --allocation node1.web'],
    payload: flags => ({ EnsembleID: flags.id, AllocationName: flags.allocation })
  }),
  behavior({
    path: '/dms/node/deployment/info',
    summary: 'show everything about a deployment',
    flags: {
      id: DEPLOYMENT_ID,
      usage: { kind: 'bool', description: 'with resource usage' },
      logs: { kind: 'bool', description: 'with logs fetched' },
      allocations: { kind: 'strings', description: 'only these allocations' }
    },
    examples: ['nunet actor cmd -c user /dms/node/deployment/info --id <id> --logs'],
    payload: flags => ({
      id: flags.id,
      include_usage: flags.usage,
      include_logs: flags.logs,
      allocation_names: flags.allocations
    })
  }),
  behavior({
    path: '/dms/node/deployment/shutdown',
    summary: 'stop a deployment',
    flags: { id: DEPLOYMENT_ID },
    examples: ['nunet actor cmd -c user /dms/node/deployment/shutdown --id <id>'],
    payload: flags => ({ ID: flags.id })
  }),
  behavior({
    path: '/dms/node/deployment/prune',
    summary: 'forget deployments that are over',
    flags: {
      before: { kind: 'string', description: 'only those older than this: a date, or an age such as 7d' },
      all: { kind: 'bool', short: 'a', description: 'all of them' }
    },
    oneOf: [['before', 'all']],
    examples: ['nunet actor cmd -c user /dms/node/deployment/prune --before 7d'],
    payload: flags => (flags.all ? { all: true } : { before: flags.before })
  }),
  behavior({
    path: '/dms/node/deployment/delete',
    summary: 'forget one deployment that is over',
    flags: { id: { kind: 'string', description: 'deployment id', required: true } },
    examples: ['nunet actor cmd -c user /dms/node/deployment/delete --id <id>'],
    payload: flags => ({ orchestrator_id: flags.id })
  })
]

const machine: readonly BehaviorSpec[] = [
  behavior({
    path: '/dms/node/resources/allocated',
    summary: 'show what workloads use of the offered hardware'
  }),
  behavior({ path: '/dms/node/resources/free', summary: 'show what is left of the offered hardware' }),
  behavior({ path: '/dms/node/resources/onboarded', summary: 'show the offered hardware' }),
  behavior({ path: '/dms/node/hardware/spec', summary: "show the machine's hardware" }),
  behavior({ path: '/dms/node/hardware/usage', summary: 'show what the whole machine uses now' }),
  behavior({ path: '/dms/node/allocations/list', summary: 'list the workloads on this machine' }),
  behavior({
    path: '/dms/node/logger/config',
    summary: 'change the log of a running node',
    flags: {
      url: { kind: 'string', short: 'u', description: 'Elasticsearch' },
      level: { kind: 'string', short: 'l', description: 'debug, info, warn or error' },
      interval: { kind: 'int', short: 'i', description: 'seconds between two deliveries' },
      'api-key': { kind: 'string', description: 'API key for Elasticsearch' },
      'apm-url': { kind: 'string', description: 'server for traces' },
      'enable-elastic': { kind: 'bool', description: 'deliver to Elasticsearch' }
    },
    oneOf: [['url', 'level', 'interval']],
    examples: ['nunet actor cmd -c user /dms/node/logger/config --level debug'],
    payload: (flags, given) => ({
      interval: flags.interval,
      url: flags.url,
      level: flags.level,
      api_key: flags['api-key'],
      apm_url: flags['apm-url'],
      elastic_enabled: given.has('enable-elastic') ? flags['enable-elastic'] : undefined
    })
  })
]

/** All of them, in the order help shows. */
export const BEHAVIORS: readonly BehaviorSpec[] = [
  ...general,
  ...peers,
  ...onboarding,
  ...deployments,
  ...machine,
  ...capabilities
]
