/**
 * Candidate search: gives each node of the ensemble one of the peers that bid for it, no peer twice
 * (deployment §2.5). A maximum bipartite matching finds an assignment whenever there is one, in polynomial time;
 * the existing system draws at random and may miss it. The order of bids is shuffled first, so that load spreads.
 */

import type { RandomSource, Refusal, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import type { Bid } from './bid.ts'

/** The chosen bid of each node. */
export type Assignment = ReadonlyMap<string, Bid>

/** Bids by node; every node of the ensemble has an entry, empty when nobody bid. */
export type BidsByNode = ReadonlyMap<string, readonly Bid[]>

/** A peer for every node, no peer twice; or for each node that got none, why. Equal choices are drawn at random. */
export function findAssignment(bids: BidsByNode, random: RandomSource): Result<Assignment> {
  const nodes = [...bids.keys()]
  const choices = new Map(nodes.map(node => [node, shuffle(bids.get(node) ?? [], random)]))
  // Nodes with the fewest choices first: fewer detours, same result.
  nodes.sort((a, b) => (choices.get(a)?.length ?? 0) - (choices.get(b)?.length ?? 0))
  const nodeOfPeer = new Map<string, string>()
  const chosen = new Map<string, Bid>()
  const unplaced = nodes.filter(node => !place(node, choices, nodeOfPeer, chosen, new Set()))
  return unplaced.length === 0 ? ok(chosen) : refuse(explainUnplaced(unplaced, bids))
}

/** Finds a peer for `node`, moving earlier nodes to other peers if that helps (Kuhn's augmenting path). */
function place(
  node: string,
  choices: ReadonlyMap<string, readonly Bid[]>,
  nodeOfPeer: Map<string, string>,
  chosen: Map<string, Bid>,
  visited: Set<string>
): boolean {
  for (const bid of choices.get(node) ?? []) {
    if (visited.has(bid.peer)) continue
    visited.add(bid.peer)
    const holder = nodeOfPeer.get(bid.peer)
    if (holder !== undefined && !place(holder, choices, nodeOfPeer, chosen, visited)) continue
    nodeOfPeer.set(bid.peer, node)
    chosen.set(node, bid)
    return true
  }
  return false
}

function explainUnplaced(unplaced: readonly string[], bids: BidsByNode): Refusal {
  const causes = unplaced.map(node => {
    const peers = (bids.get(node) ?? []).map(bid => bid.peer)
    return peers.length === 0
      ? refusal('DEPLOYMENT_NO_BID', `nobody bid for node '${node}'`, { details: { node } })
      : refusal('DEPLOYMENT_PEERS_TAKEN', `all peers that bid for node '${node}' are needed by other nodes`, {
          details: { node, peers }
        })
  })
  return refusal('DEPLOYMENT_NOT_PLACEABLE', 'no peer could be found for every node', { causes })
}

function shuffle<T>(items: readonly T[], random: RandomSource): T[] {
  const shuffled = [...items]
  for (let index = shuffled.length - 1; index > 0; index--) {
    const other = random.below(index + 1)
    const [a, b] = [shuffled[index], shuffled[other]]
    if (a !== undefined && b !== undefined) [shuffled[index], shuffled[other]] = [b, a]
  }
  return shuffled
}
