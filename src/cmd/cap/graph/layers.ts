import type { Did } from '../../../types/index.ts'
import type { Graph, GraphEdge } from './types.ts'

/** An edge from a left layer to a right one. */
export interface Span {
  readonly edge: GraphEdge
  readonly left: Did
  readonly right: Did
  /** Whether it leads from right to left. */
  readonly isBackward: boolean
}

/** Columns of the picture: each edge leads from one to a later one. */
export interface Layering {
  readonly layerOf: ReadonlyMap<Did, number>
  readonly spans: readonly Span[]
}

/**
 * Puts givers left of receivers: an edge that would close a circle is taken the other way round, then each party stands as
 * far left as its edges allow. Edges come first to first served, so what counts now decides.
 */
export function layer({ nodes, edges }: Pick<Graph, 'nodes' | 'edges'>): Layering {
  const after = new Map<Did, Set<Did>>(nodes.map(({ did }) => [did, new Set()]))
  const spans: Span[] = []
  for (const edge of edges) {
    if (edge.from === edge.to) continue // drawn as a note in the box
    // Who is trusted stands left of who trusts it, as the giver stands left of who was given.
    const [first, second] = edge.kind === 'grant' ? [edge.from, edge.to] : [edge.to, edge.from]
    const [left, right] = leads(after, second, first) ? [second, first] : [first, second]
    after.get(left)?.add(right)
    spans.push({ edge, left, right, isBackward: left !== edge.from })
  }
  return { layerOf: longestPaths(after), spans }
}

/** Whether there is a way from `start` to `goal`. */
function leads(after: ReadonlyMap<Did, ReadonlySet<Did>>, start: Did, goal: Did): boolean {
  const seen = new Set<Did>([start])
  const waiting = [start]
  for (let did = waiting.pop(); did !== undefined; did = waiting.pop()) {
    if (did === goal) return true
    for (const next of after.get(did) ?? []) {
      if (seen.has(next)) continue
      seen.add(next)
      waiting.push(next)
    }
  }
  return false
}

/** Length of the longest way to each, in the order of a topological sort (Kahn). */
function longestPaths(after: ReadonlyMap<Did, ReadonlySet<Did>>): Map<Did, number> {
  const open = new Map<Did, number>([...after.keys()].map(did => [did, 0]))
  for (const nexts of after.values()) for (const next of nexts) open.set(next, (open.get(next) ?? 0) + 1)
  const layerOf = new Map<Did, number>()
  const ready = [...open].filter(([, count]) => count === 0).map(([did]) => did)
  for (let did = ready.shift(); did !== undefined; did = ready.shift()) {
    const own = layerOf.get(did) ?? 0
    layerOf.set(did, own)
    for (const next of after.get(did) ?? []) {
      layerOf.set(next, Math.max(layerOf.get(next) ?? 0, own + 1))
      const left = (open.get(next) ?? 0) - 1
      open.set(next, left)
      if (left === 0) ready.push(next)
    }
  }
  return layerOf
}
