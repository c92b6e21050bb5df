/** Builds the bid request of an ensemble (deployment §2.4.1), in both spellings so that every release reads it. */

import type { EnsembleV1, NodeSpec } from '../ensemble/index.ts'
import { nodeDemand, nodeExecutors } from '../ensemble/index.ts'

/** The request for some nodes of an ensemble. `nonce` must never repeat for one ensemble id (deployment §3.1). */
export function buildBidRequest(
  ensembleId: string,
  ensemble: EnsembleV1,
  nodes: readonly string[],
  options: { nonce: number; excludedPeers: readonly string[] }
): Record<string, unknown> {
  return {
    ID: ensembleId,
    id: ensembleId,
    nonce: options.nonce,
    Request: nodes.map(node => ({ V1: bidEntry(ensemble, node) })),
    PeerExclusion: options.excludedPeers,
    peer_exclusion: options.excludedPeers,
    explain: true
  }
}

function bidEntry(ensemble: EnsembleV1, nodeName: string): Record<string, unknown> {
  const node = ensemble.nodes[nodeName]
  const executors = nodeExecutors({ v1: ensemble }, nodeName)
  const resources = nodeDemand({ v1: ensemble }, nodeName)
  const ports = splitPorts(node)
  const location = { accept: node?.location?.accept ?? null, reject: node?.location?.reject ?? null }
  const privileged = (node?.allocations ?? []).some(
    name => ensemble.allocations[name]?.execution.params['privileged'] === true
  )
  return {
    NodeID: nodeName,
    Executors: executors,
    Resources: resources,
    Location: location,
    PublicPorts: { Static: ports.fixed, Dynamic: ports.dynamic },
    GeneralRequirements: { PrivilegedDocker: privileged },
    node_id: nodeName,
    executors,
    resources,
    location,
    public_ports: { static: ports.fixed, dynamic: ports.dynamic },
    general_requirements: { privileged_docker: privileged }
  }
}

function splitPorts(node: NodeSpec | undefined): { fixed: number[]; dynamic: number } {
  const ports = node?.ports ?? []
  return {
    fixed: ports.map(port => port.public).filter(port => port !== 0),
    dynamic: ports.filter(port => port.public === 0).length
  }
}
