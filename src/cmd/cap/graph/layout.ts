/**
 * Where everything stands in the SVG. Columns of boxes alternate with columns of labels. In a column everything has a row of
 * its own, a line that only passes by included, and lines bend in the gaps between columns, where nothing else is. So no
 * label, box or line ever lies on another box or label, however many there are.
 */

import type { Did } from '../../../types/index.ts'
import { layer, type Span } from './layers.ts'
import type { Graph, GraphEdge, GraphNode } from './types.ts'

/** Sizes in pixels. */
export const BOX = { width: 190, height: 46 } as const
export const LABEL = { width: 280, height: 36 } as const
const GAP = { box: 22, label: 8, bend: 70 } as const
/** Height of the row of a line that only passes by. */
const PASS_HEIGHT = 8
/** From one column of boxes to the next. */
const PITCH = BOX.width + LABEL.width + 2 * GAP.bend

/** Rounds in which rows move towards what they are connected with. */
const ROUNDS = 6

/** Pieces of lines from column to column; a picture with more helps nobody and takes long. */
const MAX_PIECES = 20_000

export interface PlacedBox {
  readonly node: GraphNode
  readonly x: number
  readonly y: number
}

/** A line with its label; the points go from giver to receiver. */
export interface PlacedEdge {
  readonly edge: GraphEdge
  readonly label: { readonly x: number; readonly y: number }
  readonly points: readonly Point[]
}

/** A corner of a line. Between `straight` ones nothing bends. */
export interface Point {
  readonly x: number
  readonly y: number
}

export interface Layout {
  readonly boxes: readonly PlacedBox[]
  readonly edges: readonly PlacedEdge[]
  readonly width: number
  readonly height: number
  /** Edges that would have made too many pieces. */
  readonly leftOut: number
}

/** A row of a column: a box, a label, or a line that passes. `y` is its middle. */
interface Row {
  readonly height: number
  readonly gap: number
  y: number
  /** Rows of the neighbouring columns that it is connected with. */
  readonly before: Row[]
  readonly behind: Row[]
}

/** The rows an edge goes through, left to right: box, label or passing row, passing row, …, box. */
interface Track {
  readonly span: Span
  readonly rows: readonly Row[]
  /** Index of the label's row. */
  readonly labelAt: number
}

/** Places a graph. The same graph always gets the same places. */
export function layOut(graph: Pick<Graph, 'nodes' | 'edges'>): Layout {
  const { layerOf, spans } = layer(graph)
  const columns: Row[][] = []
  const boxes = new Map<Did, Row>()
  for (const { did } of graph.nodes) {
    const row = makeRow(BOX.height, GAP.box)
    boxes.set(did, row)
    columnAt(columns, 2 * (layerOf.get(did) ?? 0)).push(row)
  }
  const { tracks, leftOut } = makeTracks(spans, layerOf, boxes, columns)
  arrange(columns)
  const top = Math.min(0, ...columns.flat().map(row => row.y - row.height / 2))
  for (const row of columns.flat()) row.y -= top
  const placed = graph.nodes.flatMap((node): PlacedBox[] => {
    const row = boxes.get(node.did)
    const x = (layerOf.get(node.did) ?? 0) * PITCH
    return row === undefined ? [] : [{ node, x, y: row.y - BOX.height / 2 }]
  })
  const ports = portsOf(tracks)
  return {
    boxes: placed,
    edges: tracks.map((track, index) =>
      placeEdge(track, layerOf.get(track.span.left) ?? 0, ports[index] ?? { left: 0, right: 0 })
    ),
    width: Math.max(0, Math.ceil(columns.length / 2) - 1) * PITCH + BOX.width,
    height: Math.max(0, ...columns.flat().map(row => row.y + row.height / 2)),
    leftOut
  }
}

function makeRow(height: number, gap: number): Row {
  return { height, gap, y: 0, before: [], behind: [] }
}

function columnAt(columns: Row[][], index: number): Row[] {
  while (columns.length <= index) columns.push([])
  return columns[index] ?? []
}

function makeTracks(
  spans: readonly Span[],
  layerOf: ReadonlyMap<Did, number>,
  boxes: ReadonlyMap<Did, Row>,
  columns: Row[][]
): { tracks: Track[]; leftOut: number } {
  const tracks: Track[] = []
  /** Labels in each column of labels: a long line puts its label where there are fewest. */
  const labels = new Map<number, number>()
  let pieces = 0
  for (const span of spans) {
    const [left, right] = [boxes.get(span.left), boxes.get(span.right)]
    const [from, to] = [2 * (layerOf.get(span.left) ?? 0), 2 * (layerOf.get(span.right) ?? 0)]
    pieces += to - from
    if (left === undefined || right === undefined || pieces > MAX_PIECES) continue
    const labelColumn = emptiest(labels, from + 1, to)
    labels.set(labelColumn, (labels.get(labelColumn) ?? 0) + 1)
    const rows = [left]
    for (let column = from + 1; column < to; column++) {
      const row = column === labelColumn ? makeRow(LABEL.height, GAP.label) : makeRow(PASS_HEIGHT, GAP.label)
      columnAt(columns, column).push(row)
      rows.push(row)
    }
    rows.push(right)
    for (const [index, row] of rows.entries()) {
      const next = rows[index + 1]
      if (next === undefined) continue
      row.behind.push(next)
      next.before.push(row)
    }
    tracks.push({ span, rows, labelAt: labelColumn - from })
  }
  return { tracks, leftOut: spans.length - tracks.length }
}

function emptiest(labels: ReadonlyMap<number, number>, from: number, end: number): number {
  let best = from
  for (let column = from; column < end; column += 2)
    if ((labels.get(column) ?? 0) < (labels.get(best) ?? 0)) best = column
  return best
}

/** Moves rows towards the middle of what they are connected with, left to right and back, and apart again. */
function arrange(columns: readonly Row[][]): void {
  for (const column of columns) stack(column, () => 0)
  for (let round = 0; round < ROUNDS; round++) {
    const isForward = round % 2 === 0
    for (const column of isForward ? columns : columns.toReversed())
      stack(column, row => middleOf(isForward ? row.before : row.behind, row.y))
  }
  // Labels last, between both sides.
  for (const [index, column] of columns.entries())
    if (index % 2 === 1) stack(column, row => middleOf([...row.before, ...row.behind], row.y))
}

function middleOf(rows: readonly Row[], otherwise: number): number {
  return rows.length === 0 ? otherwise : rows.reduce((sum, row) => sum + row.y, 0) / rows.length
}

/** Puts the rows of a column as near to where they want to be as the others allow. */
function stack(column: Row[], wanted: (row: Row) => number): void {
  const wishes = new Map(column.map(row => [row, wanted(row)]))
  const wish = (row: Row): number => wishes.get(row) ?? 0
  column.sort((a, b) => wish(a) - wish(b)) // stable: equals keep their order
  let end = Number.NEGATIVE_INFINITY
  let surplus = 0
  for (const row of column) {
    row.y = Math.max(wish(row), end + row.height / 2)
    end = row.y + row.height / 2 + row.gap
    surplus += row.y - wish(row)
  }
  const shift = column.length === 0 ? 0 : surplus / column.length
  for (const row of column) row.y = Math.round((row.y - shift) * 2) / 2
}

/** Heights at which a line leaves its left box and meets its right one. */
interface Ports {
  left: number
  right: number
}

/** Where on the side of its box each track begins and ends: from top to bottom in the order of the rows beside it. */
function portsOf(tracks: readonly Track[]): Ports[] {
  const ports = tracks.map((): Ports => ({ left: 0, right: 0 }))
  const indexOf = new Map(tracks.map((track, index) => [track, index]))
  for (const side of ['left', 'right'] as const) {
    const groups = new Map<Row, Track[]>()
    for (const track of tracks) {
      const box = side === 'left' ? track.rows[0] : track.rows.at(-1)
      if (box !== undefined) groups.set(box, [...(groups.get(box) ?? []), track])
    }
    for (const [box, group] of groups) {
      const beside = (track: Track): number => (side === 'left' ? track.rows[1] : track.rows.at(-2))?.y ?? 0
      for (const [index, track] of group.sort((a, b) => beside(a) - beside(b)).entries()) {
        const port = ports[indexOf.get(track) ?? -1]
        if (port !== undefined)
          port[side] = box.y - BOX.height / 2 + ((index + 1) * BOX.height) / (group.length + 1)
      }
    }
  }
  return ports
}

function placeEdge({ span, rows, labelAt }: Track, layerIndex: number, port: Ports): PlacedEdge {
  const start = layerIndex * PITCH
  const points: Point[] = [{ x: start + BOX.width, y: port.left }]
  for (const [index, { y }] of rows.entries()) {
    if (index === 0 || index === rows.length - 1) continue
    const isBoxColumn = index % 2 === 0
    const x = start + Math.floor(index / 2) * PITCH + (isBoxColumn ? 0 : BOX.width + GAP.bend)
    points.push({ x, y }, { x: x + (isBoxColumn ? BOX.width : LABEL.width), y })
  }
  points.push({ x: start + ((rows.length - 1) / 2) * PITCH, y: port.right })
  const label = {
    x: start + Math.floor(labelAt / 2) * PITCH + BOX.width + GAP.bend,
    y: (rows[labelAt]?.y ?? 0) - LABEL.height / 2
  }
  return { edge: span.edge, label, points: span.isBackward ? points.reverse() : points }
}
