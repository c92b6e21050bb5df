/**
 * The picture as text: who gave what to whom as a tree, then what each context accepts. Lines stay within 80 columns, so
 * a branch that has grown too deep is continued as a tree of its own.
 */

import type { Did } from '../../../types/index.ts'
import { oneLine } from '../../cli/printable.ts'
import { paint } from '../../cli/style.ts'
import type { Terminal } from '../../cli/terminal.ts'
import { listNames, shortDid, showDistance, showTime } from '../words.ts'
import type { Graph, GraphEdge, GraphNode } from './types.ts'

const COLUMNS = 80
/** Levels of a tree; each takes three columns. */
const MAX_DEPTH = 8

type Colours = Pick<Terminal, 'colours' | 'outIsTerminal' | 'errIsTerminal'>

/** The whole text, with a newline at its end. */
export function printGraph(graph: Graph, terminal: Colours): string {
  const printer = new Printer(graph, terminal)
  return `${[...printer.delegations(), ...printer.trust(), ...printer.end()].join('\n')}\n`
}

class Printer {
  readonly #graph: Graph
  readonly #terminal: Colours
  readonly #nodes: ReadonlyMap<Did, GraphNode>
  readonly #positions: ReadonlyMap<Did, number>
  /** Delegations by giver, then by receiver. */
  readonly #grants = new Map<Did, Map<Did, GraphEdge[]>>()
  /** Below whom a party stands with what it gave on; edges that count come first. */
  readonly #parents = new Map<Did, Did>()
  readonly #shown = new Set<Did>()
  readonly #lines: string[] = []

  constructor(graph: Graph, terminal: Colours) {
    this.#graph = graph
    this.#terminal = terminal
    this.#positions = new Map(graph.nodes.map(({ did }, index) => [did, index]))
    this.#nodes = new Map(graph.nodes.map(node => [node.did, node]))
    for (const edge of graph.edges) {
      if (edge.kind !== 'grant') continue
      collect(this.#grants, edge)
      if (!this.#parents.has(edge.to)) this.#parents.set(edge.to, edge.from)
    }
  }

  delegations(): string[] {
    if (this.#grants.size === 0) return ['delegations: none']
    this.#lines.push('delegations (who gave what to whom):')
    const given = new Set([...this.#grants.values()].flatMap(receivers => [...receivers.keys()]))
    const givers = this.#graph.nodes.map(({ did }) => did).filter(did => this.#grants.has(did))
    // Those who were given nothing first; whoever is left then stands in a circle.
    for (const did of [...givers.filter(giver => !given.has(giver)), ...givers]) this.#tree(did)
    return this.#lines
  }

  trust(): string[] {
    const byOwner = new Map<Did, Map<Did, GraphEdge[]>>()
    for (const edge of this.#graph.edges) if (edge.kind !== 'grant') collect(byOwner, edge)
    const lines = ['', byOwner.size === 0 ? 'accepted: nobody' : 'accepted (whose delegations count where):']
    for (const { did } of this.#graph.nodes) {
      const accepted = byOwner.get(did)
      if (accepted === undefined) continue
      lines.push('', ...wrapped(this.#title(did), '', ''))
      for (const [index, [subject, edges]] of this.#inOrder(accepted).entries()) {
        const isLast = index === accepted.size - 1
        lines.push(...wrapped(this.#title(subject), isLast ? '└─ ' : '├─ ', isLast ? '   ' : '│  '))
        lines.push(...this.#edgeLines(edges, isLast ? '     ' : '│    '))
      }
    }
    return lines
  }

  end(): string[] {
    const { nodes, edges } = this.#graph.leftOut
    return edges === 0
      ? []
      : ['', `left out: ${edges} delegations and anchors, and ${nodes} parties only in them`]
  }

  #tree(root: Did): void {
    const waiting = [root]
    for (let did = waiting.shift(); did !== undefined; did = waiting.shift()) {
      if (this.#shown.has(did)) continue
      this.#lines.push('', ...wrapped(this.#title(did), '', ''))
      this.#branches(did, '', 1, waiting)
    }
  }

  #branches(giver: Did, margin: string, depth: number, waiting: Did[]): void {
    this.#shown.add(giver)
    const receivers = this.#inOrder(this.#grants.get(giver))
    for (const [index, [did, edges]] of receivers.entries()) {
      const isLast = index === receivers.length - 1
      const inner = `${margin}${isLast ? '   ' : '│  '}`
      const hasMore = this.#grants.has(did)
      const isTooDeep = depth >= MAX_DEPTH
      const isElsewhere = hasMore && (isTooDeep || this.#shown.has(did) || this.#parents.get(did) !== giver)
      const title = isElsewhere ? `${this.#title(did)}, see there` : this.#title(did)
      this.#lines.push(...wrapped(title, `${margin}${isLast ? '└─ ' : '├─ '}`, inner))
      this.#lines.push(...this.#edgeLines(edges, `${inner}${hasMore && !isElsewhere ? '│ ' : '  '}`))
      if (hasMore && !isElsewhere) this.#branches(did, inner, depth + 1, waiting)
      else if (isTooDeep) waiting.push(did)
    }
  }

  /** Receivers in the order of the nodes. */
  #inOrder(receivers: ReadonlyMap<Did, GraphEdge[]> | undefined): [Did, GraphEdge[]][] {
    const position = (did: Did): number => this.#positions.get(did) ?? 0
    return [...(receivers ?? [])].sort(([a], [b]) => position(a) - position(b))
  }

  #edgeLines(edges: readonly GraphEdge[], margin: string): string[] {
    return edges.flatMap(edge =>
      wrapped(edgeText(edge, this.#graph.nowNs, this.#nodes), margin, `${margin}  `).map(line =>
        edge.state === 'valid'
          ? line
          : margin +
            paint(this.#terminal, 'out', edge.state === 'revoked' ? 'red' : 'dim', line.slice(margin.length))
      )
    )
  }

  #title(did: Did): string {
    const node = this.#nodes.get(did)
    const words = node?.role === undefined || node.role === 'member' ? [] : [node.role]
    const name = node?.name === undefined ? shortDid(did) : `${oneLine(node.name)} (${shortDid(did)})`
    return [name, ...words].join(', ')
  }
}

/** `'/a', '/b' in the topics '/t', until 2026-12-31 00:00 UTC (in 30d)`. */
export function edgeText(edge: GraphEdge, nowNs: bigint, nodes: ReadonlyMap<Did, GraphNode>): string {
  const { kind, state, capabilities, topics, audience, depth, expiresAtNs } = edge
  if (kind === 'root') return 'everything (root anchor)'
  const parts = [listNames(capabilities)]
  if (topics.length > 0) parts.push(`in the topics ${listNames(topics)}`)
  if (audience !== undefined)
    parts.push(`only for ${oneLine(nodes.get(audience)?.name ?? shortDid(audience))}`)
  if (depth > 0n) parts.push(`depth ${depth}`)
  if (expiresAtNs !== undefined)
    parts.push(`until ${showTime(expiresAtNs)} (${showDistance(expiresAtNs, nowNs)})`)
  return `${state === 'valid' ? '' : `${state}: `}${parts.join(', ')}`
}

function collect(groups: Map<Did, Map<Did, GraphEdge[]>>, edge: GraphEdge): void {
  const receivers = groups.get(edge.from) ?? new Map<Did, GraphEdge[]>()
  receivers.set(edge.to, [...(receivers.get(edge.to) ?? []), edge])
  groups.set(edge.from, receivers)
}

/** Breaks a text at spaces, and a word that is too long anywhere. */
function wrapped(text: string, first: string, rest: string): string[] {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.split(' ').flatMap(part => pieces(part, COLUMNS - rest.length))) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line)
      line = rest
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line]
}

function pieces(word: string, width: number): string[] {
  const characters = [...word]
  const cut: string[] = []
  for (let at = 0; at < characters.length || cut.length === 0; at += width)
    cut.push(characters.slice(at, at + width).join(''))
  return cut
}
