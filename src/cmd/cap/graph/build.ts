/** From the files of contexts to the picture of who can do what to whom. */

import {
  type CapabilityContextDeps,
  type CapabilityFile,
  chainExpiry,
  chainOf,
  createCapabilityContext,
  formatToken,
  revocationKey,
  type Token
} from '../../../lib/ucan/index.ts'
import type { Did, RandomSource } from '../../../types/index.ts'
import type { EdgeKind, EdgeState, Graph, GraphEdge, GraphNode, Role } from './types.ts'

/** A picture with more is no picture any more. */
export const MAX_NODES = 500
export const MAX_EDGES = 2000

/** A context whose anchors are shown. */
export interface ShownContext {
  readonly name: string
  readonly file: CapabilityFile
}

/** What the picture depends on beside the files. */
export interface GraphDeps {
  readonly nowNs: bigint
  readonly random: RandomSource
  readonly keyOf?: CapabilityContextDeps['keyOf']
  /** Names of DIDs on this machine, of contexts that are not shown too. */
  readonly names: ReadonlyMap<Did, string>
}

/** The picture, and for each context how many tokens of it do not verify and are not in it. */
export function buildGraph(
  contexts: readonly ShownContext[],
  deps: GraphDeps
): { graph: Graph; unverified: ReadonlyMap<string, number> } {
  const read = contexts.map(context => ({ ...context, anchors: anchorsOf(context.file, deps) }))
  const revocations = read.flatMap(({ anchors }) => anchors.revoke)
  const judge = judgeOf(revocations, deps.nowNs)
  const edges = new EdgeList()
  const unverified = new Map<string, number>()
  const seen = new Set<string>()
  for (const { name, file, anchors } of read) {
    const { require, provide } = anchors
    const missing = file.require.length + file.provide.length - require.length - provide.length
    if (missing > 0) unverified.set(name, missing)
    for (const did of file.roots) edges.add(rootEdge(file.did, did, name), did)
    for (const token of require) {
      edges.add({ ...edgeOf('accept', token, judge(token), name), from: file.did }, formatToken(token))
      seen.add(revocationKey(token))
    }
    for (const token of provide.flatMap(chainOf)) {
      edges.add(edgeOf('grant', token, judge(token), name), formatToken(token))
      seen.add(revocationKey(token))
    }
  }
  // A context drops what was revoked; the revocation still says who had what from whom.
  for (const { name, anchors } of read) {
    for (const token of anchors.revoke)
      if (!seen.has(revocationKey(token)))
        edges.add(edgeOf('grant', token, 'revoked', name), revocationKey(token))
  }
  const shown = contexts.map(({ file }) => file.did)
  return { graph: { ...limited(edges.sorted(deps.names), shown, deps.names), nowNs: deps.nowNs }, unverified }
}

/** The anchors that verify for good, the expired and the revoked ones included. */
function anchorsOf(file: CapabilityFile, { random, keyOf }: GraphDeps) {
  const clock = { nowNs: () => 0n }
  const deps = { clock, random, owner: file.did, keyOf }
  const { require, provide } = createCapabilityContext(deps, { ...file, revoke: [] }).context.anchors
  const { revoke } = createCapabilityContext(deps, { ...file, require: [], provide: [] }).context.anchors
  return { require, provide, revoke }
}

function rootEdge(from: Did, to: Did, context: string): GraphEdge {
  return {
    kind: 'root',
    from,
    to,
    capabilities: ['/'],
    topics: [],
    audience: undefined,
    expiresAtNs: undefined,
    depth: 0n,
    state: 'valid',
    contexts: [context]
  }
}

function edgeOf(kind: EdgeKind, token: Token, state: EdgeState, context: string): GraphEdge {
  const { issuer, subject, capabilities, topics, audience, depth } = token
  return {
    kind,
    from: issuer,
    to: subject,
    capabilities: capabilities ?? [],
    topics,
    audience,
    expiresAtNs: chainExpiry(token),
    depth,
    state,
    contexts: [context]
  }
}

/** Judges tokens with what all shown contexts together know. */
function judgeOf(revocations: readonly Token[], nowNs: bigint): (token: Token) => EdgeState {
  const revoked = new Set(revocations.map(revocationKey))
  return token => {
    if (chainOf(token).some(link => revoked.has(revocationKey(link)))) return 'revoked'
    return chainExpiry(token) < nowNs ? 'expired' : 'valid'
  }
}

/** Edges without repetition: the same token in several contexts is one edge. */
class EdgeList {
  readonly #byKey = new Map<string, GraphEdge>()

  /** `identity` tells edges of one kind between the same parties apart. */
  add(edge: GraphEdge, identity: string): void {
    const key = `${edge.kind} ${edge.from} ${identity}`
    const known = this.#byKey.get(key)
    const contexts = new Set([...(known?.contexts ?? []), ...edge.contexts])
    this.#byKey.set(key, { ...(known ?? edge), contexts: [...contexts].sort() })
  }

  /** In an order that depends on what they say only, by name where there is one; what counts now comes first. */
  sorted(names: ReadonlyMap<Did, string>): GraphEdge[] {
    const party = (did: Did): string => partyKey(did, names.get(did))
    return [...this.#byKey]
      .map(([key, edge]) => {
        const { state, kind, from, to } = edge
        const rank = `${STATES.indexOf(state)}${KINDS.indexOf(kind)}`
        return { edge, key: [rank, party(from), party(to), key].join(' ') }
      })
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ edge }) => edge)
  }
}

const STATES: readonly EdgeState[] = ['valid', 'expired', 'revoked']
const KINDS: readonly EdgeKind[] = ['grant', 'root', 'accept']

/** Takes edges as long as there is room for them and their parties. */
function limited(
  edges: readonly GraphEdge[],
  shown: readonly Did[],
  names: ReadonlyMap<Did, string>
): Omit<Graph, 'nowNs'> {
  const parties = new Set<Did>([...shown, ...edges.flatMap(({ from, to }) => [from, to])])
  // A context that trusts and holds nothing is a party as well.
  const taken = new Set<Did>(shown.slice(0, MAX_NODES))
  const kept = edges.filter(({ from, to }, index) => {
    const isNew = new Set([from, to].filter(did => !taken.has(did)))
    if (index >= MAX_EDGES || taken.size + isNew.size > MAX_NODES) return false
    for (const did of isNew) taken.add(did)
    return true
  })
  const roles = rolesOf(edges, new Set([...shown, ...names.keys()]))
  const nodes = [...taken].map((did): GraphNode => ({ did, name: names.get(did), role: roles(did) }))
  return {
    nodes: nodes.sort((a, b) => (partyKey(a.did, a.name) < partyKey(b.did, b.name) ? -1 : 1)),
    edges: kept,
    leftOut: { nodes: parties.size - taken.size, edges: edges.length - kept.length }
  }
}

/** Sorts parties: those with a name come first. */
function partyKey(did: Did, name: string | undefined): string {
  return name === undefined ? `1 ${did}` : `0 ${name} ${did}`
}

function rolesOf(edges: readonly GraphEdge[], owners: ReadonlySet<Did>): (did: Did) => Role {
  const roots = new Set(edges.filter(({ kind }) => kind === 'root').map(({ to }) => to))
  const given = new Set(edges.filter(({ kind }) => kind === 'grant').map(({ to }) => to))
  const organisations = new Set([
    // Depth 1 is for its subject alone: a person or a machine, nobody with members.
    ...edges.filter(({ kind, depth }) => kind === 'accept' && depth !== 1n).map(({ to }) => to),
    // Somebody elsewhere with whom a chain starts.
    ...edges
      .filter(({ kind, from }) => kind === 'grant' && !given.has(from) && !owners.has(from))
      .map(({ from }) => from)
  ])
  return did => {
    if (organisations.has(did)) return 'organisation'
    if (roots.has(did)) return 'root'
    return owners.has(did) ? 'self' : 'member'
  }
}
