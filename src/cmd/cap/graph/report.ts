import type { Graph } from './types.ts'

/** The picture for programs; times are exact nanoseconds. Documented in docs/cap-why-and-graph.md. */
export function graphReport({ nodes, edges, leftOut, nowNs }: Graph): unknown {
  return {
    time: nowNs,
    nodes: nodes.map(({ did, name, role }) => ({ did, context: name, role })),
    edges: edges.map(edge => ({
      kind: edge.kind,
      from: edge.from,
      to: edge.to,
      capabilities: edge.capabilities,
      topics: edge.topics,
      audience: edge.audience,
      expires: edge.expiresAtNs,
      depth: edge.depth,
      state: edge.state,
      contexts: edge.contexts
    })),
    left_out: leftOut
  }
}
