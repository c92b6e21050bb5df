/**
 * The picture as a file of its own: no script, no link, nothing from elsewhere. All text in it comes from tokens and files, so
 * each piece goes through `xmlText`, and is clipped to its box.
 */

import type { Capability } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { cutName, shortDid, showDistance, showTime } from '../words.ts'
import { BOX, LABEL, type Layout, layOut, type PlacedBox, type PlacedEdge, type Point } from './layout.ts'
import { edgeText } from './text.ts'
import type { EdgeKind, Graph, GraphEdge, GraphNode, Role } from './types.ts'
import { xmlText } from './xml.ts'

const MARGIN = 24
const TITLE_HEIGHT = 56
const LEGEND = { width: 1080, height: 92 } as const

/** Characters of a line of a label and of a box, at 6.7 px each. */
const LABEL_CHARACTERS = 40
const BOX_CHARACTERS = 26

/** The SVG document of a graph. */
export function drawGraph(graph: Graph): string {
  const layout = layOut(graph)
  const names = new Map(graph.nodes.map(node => [node.did, node]))
  const width = Math.max(layout.width, LEGEND.width) + 2 * MARGIN
  const height = TITLE_HEIGHT + layout.height + LEGEND.height + 3 * MARGIN
  const loops = graph.edges.filter(({ from, to }) => from === to)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${xmlText('Who can do what to whom')}</title>`,
    `<style>${STYLE}</style>`,
    ARROWS,
    `<rect class="page" width="${width}" height="${height}"/>`,
    title(graph, layout),
    `<g transform="translate(${MARGIN} ${TITLE_HEIGHT + MARGIN})">`,
    ...layout.edges.map(line),
    ...layout.boxes.map(box => drawBox(box, loops)),
    ...layout.edges.map(edge => label(edge, graph.nowNs, names)),
    '</g>',
    legend(TITLE_HEIGHT + layout.height + 2 * MARGIN),
    '</svg>\n'
  ].join('\n')
}

const ROLES: readonly [Role, string][] = [
  ['organisation', 'organisation'],
  ['root', 'root anchor'],
  ['self', 'context here'],
  ['member', 'other party']
]

const LIGHT = {
  page: '#fff',
  ink: '#1d2330',
  dim: '#5b6475',
  card: '#f5f7fa',
  edge: '#7a8496',
  self: '#2563eb',
  root: '#b45309',
  organisation: '#7c3aed',
  member: '#4b5563',
  bad: '#dc2626',
  accept: '#0f766e'
} as const

const DARK: Readonly<Record<keyof typeof LIGHT, string>> = {
  page: '#12151c',
  ink: '#e6e9ef',
  dim: '#98a2b3',
  card: '#1c212b',
  edge: '#8b95a7',
  self: '#60a5fa',
  root: '#f59e0b',
  organisation: '#a78bfa',
  member: '#9ca3af',
  bad: '#f87171',
  accept: '#2dd4bf'
}

/** Written out instead of by variables, which some viewers do not know. */
function coloursOf(palette: Readonly<Record<keyof typeof LIGHT, string>>): string {
  const roles = ROLES.map(([role]) => `.role-${role}{stroke:${palette[role]}}`)
  return [
    `text{fill:${palette.ink}}.dim{fill:${palette.dim}}.page{fill:${palette.page}}.box,.card{fill:${palette.card}}`,
    ...roles,
    `.line,.card{stroke:${palette.edge}}.arrow{fill:${palette.edge}}`,
    `.line.accept,.card.accept{stroke:${palette.accept}}.arrow.accept{fill:${palette.accept}}`,
    `.line.root,.card.root{stroke:${palette.root}}.arrow.root{fill:${palette.root}}`,
    `.line.revoked,.card.revoked{stroke:${palette.bad}}.revoked text{fill:${palette.bad}}`
  ].join('\n')
}

const SHAPES = `
text{font:11px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.heading{font-size:15px;font-weight:600}.name{font-size:12px;font-weight:600}
.box{stroke-width:1.5}.here{stroke-width:3}
.line{fill:none;stroke-width:1.3}.line.accept{stroke-dasharray:6 4}.line.root{stroke-width:2.4}
.expired{opacity:.45}.revoked text{text-decoration:line-through}
`.trim()

const STYLE = `\n${SHAPES}\n${coloursOf(LIGHT)}\n@media (prefers-color-scheme:dark){\n${coloursOf(DARK)}\n}\n`

const KINDS: readonly EdgeKind[] = ['grant', 'accept', 'root']

const ARROWS = `<defs>${KINDS.map(
  kind =>
    `<marker id="arrow-${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="arrow ${kind}" d="M0 0L8 4L0 8z"/></marker>`
).join('')}</defs>`

function title({ nowNs, leftOut, nodes, edges }: Graph, layout: Layout): string {
  const missing = leftOut.edges + layout.leftOut
  const shown = `${nodes.length} parties, ${edges.length - layout.leftOut} delegations and anchors`
  const note = missing === 0 ? '' : `; left out: ${missing} delegations and anchors, ${leftOut.nodes} parties`
  return [
    `<text class="heading" x="${MARGIN}" y="32">Who can do what to whom</text>`,
    `<text class="dim" x="${MARGIN}" y="52">${xmlText(`${shown}, as known here at ${showTime(nowNs)}${note}`)}</text>`
  ].join('\n')
}

function line({ edge, points, label }: PlacedEdge): string {
  return `<path class="line ${edge.kind} ${edge.state}" d="${curve(points, label)}" marker-end="url(#arrow-${edge.kind})"/>`
}

/**
 * Straight through columns, bent between them; points come in pairs, the first and the last alone. A line stops at its
 * label and goes on behind it: an expired label lets through what is below it.
 */
function curve(points: readonly Point[], label: Point): string {
  return points
    .map(({ x, y }, index) => {
      const before = points[index - 1]
      if (before === undefined) return `M${x} ${y}`
      const isLabel = Math.min(x, before.x) === label.x && y === label.y + LABEL.height / 2
      if (index % 2 === 0) return `${isLabel ? 'M' : 'L'}${x} ${y}`
      const middle = (before.x + x) / 2
      return `C${middle} ${before.y} ${middle} ${y} ${x} ${y}`
    })
    .join('')
}

function drawBox({ node, x, y }: PlacedBox, loops: readonly GraphEdge[]): string {
  const own = loops.filter(({ from }) => from === node.did).length
  const notes = [node.role, ...(own === 0 ? [] : [`${own} to itself`])]
  const name = node.name === undefined ? shortDid(node.did) : cutName(node.name)
  const second = node.name === undefined ? notes.join(', ') : `${shortDid(node.did)}`
  const here = node.name === undefined ? '' : ' here'
  const tip = [node.name ?? '', node.did, notes.join(', ')].filter(text => text !== '').join('\n')
  return [
    `<g><title>${xmlText(tip)}</title>`,
    `<rect class="box role-${node.role}${here}" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="8"/>`,
    clipped(x, y, BOX, [
      `<text class="name" x="10" y="19">${xmlText(short(name, BOX_CHARACTERS))}</text>`,
      `<text class="dim" x="10" y="36">${xmlText(short(second, BOX_CHARACTERS))}</text>`
    ]),
    '</g>'
  ].join('')
}

function label(
  { edge, label: { x, y } }: PlacedEdge,
  nowNs: bigint,
  nodes: ReadonlyMap<Did, GraphNode>
): string {
  const lines = labelLines(edge, nowNs)
  return [
    `<g class="${edge.state}"><title>${xmlText(tipOf(edge, nowNs, nodes))}</title>`,
    `<rect class="card ${edge.kind} ${edge.state}" x="${x}" y="${y}" width="${LABEL.width}" height="${LABEL.height}" rx="5"/>`,
    clipped(
      x,
      y,
      LABEL,
      lines.map((text, index) => {
        const dim = index === 0 ? '' : ' class="dim"'
        return `<text${dim} x="8" y="${15 + 14 * index}">${xmlText(short(text, LABEL_CHARACTERS))}</text>`
      })
    ),
    '</g>'
  ].join('')
}

function labelLines({ kind, capabilities, topics, expiresAtNs, state }: GraphEdge, nowNs: bigint): string[] {
  if (kind === 'root') return ['everything', 'root anchor, without end']
  const end = expiresAtNs === undefined ? '' : showDistance(expiresAtNs, nowNs)
  const when = state === 'valid' ? `ends ${end}` : state === 'expired' ? `expired ${end}` : 'revoked'
  const where = topics.length === 0 ? '' : `, topics ${bareNames(topics)}`
  return [bareNames(capabilities), `${when}${where}`]
}

/** Without quotes: there is little room, and the tooltip has all of it. */
function bareNames(names: readonly Capability[]): string {
  return names.length === 0 ? 'nothing' : names.slice(0, LABEL_CHARACTERS).map(cutName).join(', ')
}

/** Everything, in full. */
function tipOf(edge: GraphEdge, nowNs: bigint, nodes: ReadonlyMap<Did, GraphNode>): string {
  const verb = edge.kind === 'grant' ? 'gives' : edge.kind === 'accept' ? 'accepts from' : 'trusts'
  const audience = edge.audience === undefined ? [] : [`only for ${edge.audience}`]
  return [
    `${nameOf(edge.from, nodes)} ${verb} ${nameOf(edge.to, nodes)}`,
    edgeText(edge, nowNs, nodes),
    ...audience,
    `found in ${edge.contexts.map(cutName).join(', ')}`
  ].join('\n')
}

function nameOf(did: Did, nodes: ReadonlyMap<Did, GraphNode>): string {
  const name = nodes.get(did)?.name
  return name === undefined ? did : `${cutName(name)} (${did})`
}

/** Text that cannot leave its box, whatever the width of its letters. */
function clipped(
  x: number,
  y: number,
  size: { width: number; height: number },
  content: readonly string[]
): string {
  return `<svg x="${x}" y="${y}" width="${size.width}" height="${size.height}" overflow="hidden">${content.join('')}</svg>`
}

function short(text: string, most: number): string {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`
}

const LINES: readonly [string, string][] = [
  ['grant', 'delegation: gives to'],
  ['accept', 'accepts what it delegates (require anchor)'],
  ['root', 'trusts in everything (root anchor)'],
  ['grant expired', 'expired'],
  ['grant revoked', 'revoked']
]

function legend(top: number): string {
  const boxes = ROLES.map(([role, text], index) => {
    const x = MARGIN + index * 200
    return `<rect class="box role-${role}" x="${x}" y="${top}" width="26" height="16" rx="4"/><text x="${x + 34}" y="${top + 12}">${text}</text>`
  })
  const lines = LINES.map(([kind, text], index) => {
    const x = MARGIN + (index % 3) * 360
    const y = top + 40 + Math.floor(index / 3) * 26
    return `<path class="line ${kind}" d="M${x} ${y}h26"/><text x="${x + 34}" y="${y + 4}">${text}</text>`
  })
  return `<g>${[...boxes, ...lines].join('')}<text class="dim" x="${MARGIN}" y="${top + 92}">a thick frame: the context is on this machine</text></g>`
}
