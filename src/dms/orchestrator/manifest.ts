/**
 * The manifest of a deployment: what runs where (deployment §2.12, cli-api-config §6.6). Kept in wire form, so
 * that what is stored, shown and restored is one thing.
 */

import { z } from 'zod'
import { handleToWire } from '../../actor/index.ts'
import { parsePeerId } from '../../lib/crypto/index.ts'
import type { Handle, PeerId } from '../../types/index.ts'
import type {
  AllocationType,
  EnsembleV1,
  HealthCheckSpec,
  LocationSpec,
  NodeSpec
} from '../ensemble/index.ts'
import { allocationId, manifestKey } from '../ensemble/index.ts'
import type { Assignment } from './search.ts'

/** One allocation of a manifest. */
export interface ManifestAllocation {
  id: string
  node_id: string
  type: AllocationType
  /** Handle of the allocation actor, wire form; absent until it is allocated. */
  handle?: unknown
  /** With `.internal`. */
  dns_name: string
  priv_addr: string
  /** Public port to workload port. */
  ports?: Record<string, number> | undefined
  healthcheck?: HealthCheckSpec | undefined
  status: string
  is_standby: boolean
  /** Extension: how it ended. */
  exit_code?: number | undefined
  /** Extension: why it failed, one line. */
  error?: string | undefined
}

/** One node of a manifest: which provider has it. */
export interface ManifestNode {
  id: string
  peer: string
  /** Root handle of the provider, wire form. */
  handle?: unknown
  pub_address: string[]
  location: LocationSpec
  /** Allocation names of the ensemble file. */
  allocations: string[]
  status: string
}

/** What a provider may still hold, because it did not confirm to have given it back. */
export interface Claim {
  readonly node: string
  readonly peer: PeerId
  /** Root handle of the provider, wire form. */
  readonly handle?: unknown
  /** Allocation ids. */
  readonly allocations: readonly string[]
  readonly since_ms: number
}

/** What runs where. Members are named as they travel. */
export interface Manifest {
  id: string
  metadata?: Readonly<Record<string, string>> | undefined
  orchestrator: unknown
  /** By `<node>.<allocation>`. */
  allocations: Record<string, ManifestAllocation>
  nodes: Record<string, ManifestNode>
  subnet: { join: boolean }
  contracts: Record<string, unknown> | null
}

const portMap = z.record(z.string(), z.number())

/** Reads back what was stored. Loose about values it only hands on. */
export const manifestSchema = z.object({
  id: z.string(),
  metadata: z.record(z.string(), z.string()).optional(),
  orchestrator: z.unknown(),
  allocations: z.record(
    z.string(),
    z.object({
      id: z.string(),
      node_id: z.string(),
      type: z.enum(['service', 'task']),
      handle: z.unknown().optional(),
      dns_name: z.string(),
      priv_addr: z.string(),
      ports: portMap.optional(),
      healthcheck: z
        .object({
          type: z.enum(['command', 'http']),
          exec: z.array(z.string()).optional(),
          endpoint: z.string().optional(),
          response: z.object({ type: z.string(), value: z.string() }).optional(),
          interval: z.number().optional()
        })
        .optional(),
      status: z.string(),
      is_standby: z.boolean(),
      exit_code: z.number().optional(),
      error: z.string().optional()
    })
  ),
  nodes: z.record(
    z.string(),
    z.object({
      id: z.string(),
      peer: z.string(),
      handle: z.unknown().optional(),
      pub_address: z.array(z.string()),
      location: z.object({
        continent: z.string().optional(),
        country: z.string().optional(),
        city: z.string().optional(),
        asn: z.number().optional(),
        isp: z.string().optional()
      }),
      allocations: z.array(z.string()),
      status: z.string()
    })
  ),
  subnet: z.object({ join: z.boolean() }),
  contracts: z.record(z.string(), z.unknown()).nullable()
})

/** What the manifest column of a deployment holds. */
export interface Kept {
  /** Absent before candidates are chosen. */
  readonly manifest: Manifest | undefined
  readonly unreleased: readonly Claim[]
}

const storedSchema = manifestSchema.extend({
  /** Beside the manifest, since both must change in one step with the status. */
  unreleased: z
    .array(
      z.object({
        node: z.string(),
        peer: z.string().transform(parsePeerId),
        handle: z.unknown().optional(),
        allocations: z.array(z.string()),
        since_ms: z.number()
      })
    )
    .optional()
})

/** Reads the column. Throws for what was not written by `writeManifest`. */
export function readManifest(stored: unknown): Kept {
  if (stored === undefined || stored === null) return { manifest: undefined, unreleased: [] }
  const { unreleased = [], ...manifest } = storedSchema.parse(stored)
  return { manifest: Object.keys(manifest.nodes).length > 0 ? manifest : undefined, unreleased }
}

export function writeManifest(ensembleId: string, { manifest, unreleased }: Kept): unknown {
  if (unreleased.length === 0) return manifest
  return { ...(manifest ?? emptyManifest(ensembleId, null)), unreleased }
}

/** Whether a stored column holds claims, without reading all of it. */
export function hasUnreleased(stored: unknown): boolean {
  return typeof stored === 'object' && stored !== null && 'unreleased' in stored
}

function emptyManifest(ensembleId: string, orchestrator: unknown): Manifest {
  return {
    id: ensembleId,
    orchestrator,
    allocations: {},
    nodes: {},
    subnet: { join: false },
    contracts: null
  }
}

/** The manifest of a chosen assignment, before anything is committed. */
export function buildManifest(
  ensembleId: string,
  ensemble: EnsembleV1,
  orchestrator: Handle,
  assignment: Assignment
): Manifest {
  const manifest: Manifest = {
    ...emptyManifest(ensembleId, handleToWire(orchestrator)),
    metadata: ensemble.metadata,
    subnet: { join: ensemble.subnet?.join ?? false }
  }
  for (const [nodeName, bid] of assignment) {
    const node = ensemble.nodes[nodeName]
    if (node === undefined) continue
    manifest.nodes[nodeName] = {
      id: nodeName,
      peer: bid.peer,
      handle: handleToWire(bid.handle),
      pub_address: [...bid.addresses],
      location: bid.location,
      allocations: [...node.allocations],
      status: 'active'
    }
    for (const name of node.allocations) {
      const allocation = ensemble.allocations[name]
      if (allocation === undefined) continue
      manifest.allocations[manifestKey(nodeName, name)] = {
        id: allocationId(ensembleId, nodeName, name),
        node_id: nodeName,
        type: allocation.type,
        dns_name: `${allocation.dns_name}.internal`,
        priv_addr: '',
        ports: fixedPorts(node, name),
        healthcheck: allocation.healthcheck,
        status: 'pending',
        is_standby: false
      }
    }
  }
  return manifest
}

/** Public to private port of one allocation, those with a chosen public port only. */
export function fixedPorts(node: NodeSpec, allocation: string): Record<string, number> {
  const ports = (node.ports ?? []).filter(port => port.allocation === allocation && port.public !== 0)
  return Object.fromEntries(ports.map(port => [String(port.public), port.private]))
}

/** Private ports of one allocation that want a public port of the provider's choice. */
export function dynamicPorts(node: NodeSpec, allocation: string): number[] {
  return (node.ports ?? [])
    .filter(port => port.allocation === allocation && port.public === 0)
    .map(port => port.private)
}

/** The entry of an allocation id in a manifest, with its key. */
export function findAllocation(
  manifest: Manifest,
  id: string
): [key: string, entry: ManifestAllocation] | undefined {
  return Object.entries(manifest.allocations).find(([, entry]) => entry.id === id)
}
