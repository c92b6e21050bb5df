/** The picture's geometry: whatever the graph, nothing lies on anything else; and its text cannot become markup. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { layer } from '../../../src/cmd/cap/graph/layers.ts'
import { BOX, LABEL, type Layout, layOut, type Point } from '../../../src/cmd/cap/graph/layout.ts'
import { drawGraph } from '../../../src/cmd/cap/graph/svg.ts'
import { printGraph } from '../../../src/cmd/cap/graph/text.ts'
import type { EdgeKind, EdgeState, Graph, GraphEdge, GraphNode } from '../../../src/cmd/cap/graph/types.ts'
import { xmlText } from '../../../src/cmd/cap/graph/xml.ts'
import type { Did } from '../../../src/types/index.ts'
import { SeededRandom } from '../../../src/utils/index.ts'

const NOW_NS = 1_800_000_000_000_000_000n
const PLAIN = { colours: false, outIsTerminal: false, errIsTerminal: false }

function didOf(name: string): Did {
  return `did:key:z6Mk${name}` as Did
}

function node(name: string, role: GraphNode['role'] = 'self'): GraphNode {
  return { did: didOf(name), name, role }
}

function edge(from: string, to: string, more: Partial<GraphEdge> = {}): GraphEdge {
  return {
    kind: 'grant',
    from: didOf(from),
    to: didOf(to),
    capabilities: ['/dms/deployment', '/public', '/broadcast'],
    topics: ['/nunet'],
    audience: undefined,
    expiresAtNs: NOW_NS + 3_600_000_000_000n,
    depth: 0n,
    state: 'valid',
    contexts: ['user'],
    ...more
  }
}

function graphOf(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Graph {
  return { nodes, edges, leftOut: { nodes: 0, edges: 0 }, nowNs: NOW_NS }
}

/** Three organisations with four machines each, every machine with a user and a node, and trust across. */
function threeOrganisations(): Graph {
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  const organisations = ['atlas', 'borea', 'cirrus']
  for (const [index, organisation] of organisations.entries()) {
    nodes.push(node(organisation, 'organisation'))
    for (const number of [1, 2, 3, 4]) {
      const [user, dms] = [`${organisation}-${number}-user`, `${organisation}-${number}-dms`]
      nodes.push(node(user, 'root'), node(dms))
      edges.push(
        edge(organisation, user),
        edge(user, dms, { state: number === 4 ? 'expired' : 'valid' }),
        edge(dms, user, { kind: 'root', expiresAtNs: undefined }),
        edge(dms, organisation, { kind: 'accept' }),
        edge(dms, organisations[(index + 1) % 3] ?? '', { kind: 'accept', capabilities: ['/public'] })
      )
    }
  }
  return graphOf(nodes, edges)
}

const KINDS: readonly EdgeKind[] = ['grant', 'accept', 'root']
const STATES: readonly EdgeState[] = ['valid', 'expired', 'revoked']

function randomGraph(seed: string, parties: number, count: number): Graph {
  const random = new SeededRandom(seed)
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)] ?? assert.fail()
  const names = Array.from({ length: parties }, (_, index) => `p${index}`)
  const edges = Array.from({ length: count }, () =>
    edge(pick(names), pick(names), { kind: pick(KINDS), state: pick(STATES) })
  )
  return graphOf(
    names.map(name => node(name, 'member')),
    edges
  )
}

interface Area {
  readonly what: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

function areasOf(layout: Layout): Area[] {
  return [
    ...layout.boxes.map(({ node: { did }, x, y }) => ({ what: did, x, y, ...BOX })),
    ...layout.edges.map(({ label }, index) => ({ what: `label ${index}`, ...label, ...LABEL }))
  ]
}

/** Straight pieces of a line, and the stripes in which it bends. */
function piecesOf(points: readonly Point[]): { straight: [Point, Point][]; bends: [Point, Point][] } {
  const straight: [Point, Point][] = []
  const bends: [Point, Point][] = []
  for (const [index, point] of points.entries()) {
    const next = points[index + 1]
    if (next !== undefined) (index % 2 === 0 ? bends : straight).push([point, next])
  }
  return { straight, bends }
}

function assertApart(layout: Layout): void {
  const areas = areasOf(layout)
  for (const [index, a] of areas.entries()) {
    assert.ok(
      a.x >= 0 && a.y >= 0 && a.x + a.width <= layout.width && a.y + a.height <= layout.height,
      a.what
    )
    for (const b of areas.slice(index + 1)) {
      const isApart =
        a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
      assert.ok(isApart, `${a.what} lies on ${b.what}`)
    }
  }
  for (const [index, { points }] of layout.edges.entries()) {
    const { straight, bends } = piecesOf(points)
    for (const [a, b] of bends) {
      const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)]
      for (const area of areas)
        assert.ok(area.x + area.width <= left || area.x >= right, `line ${index} bends through ${area.what}`)
    }
    for (const [a, b] of straight) {
      assert.equal(a.y, b.y)
      for (const area of areas) {
        if (area.what === `label ${index}`) continue
        const isBeside = area.x + area.width <= Math.min(a.x, b.x) || area.x >= Math.max(a.x, b.x)
        assert.ok(
          isBeside || a.y <= area.y || a.y >= area.y + area.height,
          `line ${index} crosses ${area.what}`
        )
      }
    }
  }
}

describe('the layout of cap graph', () => {
  it('keeps boxes, labels and lines of three organisations with four machines each apart', () => {
    const graph = threeOrganisations()
    const layout = layOut(graph)
    assert.equal(layout.boxes.length, 27)
    assert.equal(layout.edges.length, graph.edges.length)
    assertApart(layout)
  })

  it('keeps everything apart in graphs nobody would draw: circles, loops, many lines between two', () => {
    for (let seed = 0; seed < 60; seed++)
      assertApart(layOut(randomGraph(`graph ${seed}`, 2 + (seed % 14), seed)))
  })

  it('begins and ends each line at the sides of its boxes, from the giver to the receiver', () => {
    for (const graph of [threeOrganisations(), randomGraph('ends', 9, 40)]) {
      const { boxes, edges } = layOut(graph)
      const at = new Map(boxes.map(box => [box.node.did, box]))
      for (const {
        edge: { from, to },
        points
      } of edges) {
        for (const [did, point] of [
          [from, points[0]],
          [to, points.at(-1)]
        ] as const) {
          const box = at.get(did) ?? assert.fail(did)
          assert.ok(point && (point.x === box.x || point.x === box.x + BOX.width))
          assert.ok(point.y > box.y && point.y < box.y + BOX.height)
        }
      }
    }
  })

  it('puts givers left of receivers, and who is trusted left of who trusts', () => {
    const { layerOf } = layer(threeOrganisations())
    const place = (name: string): number => layerOf.get(didOf(name)) ?? -1
    assert.ok(place('atlas') < place('atlas-1-user') && place('atlas-1-user') < place('atlas-1-dms'))
  })

  it('draws a large graph in bounded time and says what it left out of a hopeless one', () => {
    const wide = layOut(randomGraph('wide', 500, 2000))
    assert.equal(wide.boxes.length, 500)
    // A chain of 300 with lines from its start to everybody: 45,000 pieces.
    const names = Array.from({ length: 300 }, (_, index) => `n${index}`)
    const chain = names.slice(1).map((name, index) => edge(names[index] ?? '', name))
    const rays = names.slice(2).map(name => edge('n0', name))
    const long = graphOf(
      names.map(name => node(name)),
      [...chain, ...rays]
    )
    const layout = layOut(long)
    assert.ok(layout.leftOut > 0 && layout.leftOut < 200)
    assert.match(drawGraph(long), new RegExp(`left out: ${layout.leftOut} delegations`))
  })

  it('is the same every time', () => {
    assert.equal(drawGraph(threeOrganisations()), drawGraph(threeOrganisations()))
  })

  it('draws nothing for an empty graph but the page and its legend', () => {
    const svg = drawGraph(graphOf([], []))
    assert.match(svg, /0 parties, 0 delegations and anchors/)
    assertWellFormed(svg)
  })
})

/** Every element is closed in order, attributes are quoted, and nothing in it can act. */
function assertWellFormed(svg: string): string[] {
  const open: string[] = []
  const texts: string[] = []
  const piece =
    /<(\/?)([A-Za-z]+)((?:\s+[A-Za-z:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot|#39);[^"<&]*)*")*)\s*(\/?)>|([^<]+)/y
  let at = 0
  while (at < svg.length) {
    piece.lastIndex = at
    const found = piece.exec(svg)
    assert.ok(found, `not well-formed at ${at}: ${svg.slice(at, at + 80)}`)
    at = piece.lastIndex
    const [, closing, name = '', attributes = '', empty, text] = found
    if (text !== undefined) {
      assert.doesNotMatch(text, /&(?!amp;|lt;|gt;|quot;|#39;)/)
      texts.push(text)
    } else if (closing === '/') assert.equal(open.pop(), name)
    else if (empty !== '/') open.push(name)
    if (name !== '')
      assert.match(name, /^(svg|title|style|defs|marker|path|rect|g|text)$/, 'an element that is not ours')
    assert.doesNotMatch(attributes, /\son|href|style=|javascript:/i)
  }
  assert.deepEqual(open, [])
  return texts
}

const HOSTILE = [
  '</text><script>alert(1)</script>',
  '"><image href="http://x/">',
  "' onload='alert(1)",
  ']]>&amp;<!--',
  'a\u0000\u001b[2J\u202eb\ud800\uffff',
  '</style><style>*{background:url(http://x)}'
]

describe('hostile text in cap graph', () => {
  const graph = graphOf(
    HOSTILE.map((text, index) => ({
      did: `did:${text}` as Did,
      name: index % 2 === 0 ? text : undefined,
      role: 'member'
    })),
    HOSTILE.map((text, index) =>
      edge('', '', {
        from: `did:${text}` as Did,
        to: `did:${HOSTILE[(index + 1) % HOSTILE.length]}` as Did,
        capabilities: HOSTILE,
        topics: HOSTILE,
        audience: `did:${text}` as Did,
        contexts: [text]
      })
    )
  )

  it('stays text in the SVG', () => {
    const svg = drawGraph(graph)
    const texts = assertWellFormed(svg)
    for (const element of ['<script', '<image', '<!--', '</style><style'])
      assert.ok(!svg.includes(element), element)
    assert.equal(svg.split('<style>').length, 2)
    assert.ok(texts.some(text => text.includes('&lt;script&gt;')))
    // Characters that XML does not allow, or that turn the direction, are shown as escapes.
    for (const forbidden of ['\u0000', '\u001b', '\u202e', '\ud800', '\uffff'])
      assert.ok(!svg.includes(forbidden))
  })

  it('cannot act on the terminal, and lines stay within 80 columns', () => {
    const text = printGraph(graph, PLAIN)
    for (const active of ['\u0000', '\u001b', '\u202e']) assert.ok(!text.includes(active))
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
  })

  it('is escaped piece by piece', () => {
    assert.equal(xmlText(`<&>"'`), '&lt;&amp;&gt;&quot;&#39;')
    assert.equal(xmlText('a\ud800\uffffb\u0007'), 'a\ufffd\ufffdb\\x07')
    assert.equal(xmlText('plain äöü 漢字'), 'plain äöü 漢字')
  })
})

describe('the tree of cap graph', () => {
  it('stays within 80 columns however deep it is, and shows each party’s gifts once', () => {
    const names = Array.from({ length: 40 }, (_, index) => `name-${index}`)
    const edges = names.slice(1).map((name, index) => edge(names[index] ?? '', name))
    const text = printGraph(
      graphOf(
        names.map(name => node(name)),
        [...edges, edge('name-39', 'name-0')]
      ),
      PLAIN
    )
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
    for (const name of names) {
      const titles = text
        .split('\n')
        .filter(line => line.includes(`${name} (`) && !line.includes('see there'))
      assert.equal(titles.length, 1, name)
    }
  })

  it('breaks a name that is longer than a line', () => {
    const long = `/${'x'.repeat(100)}`
    const text = printGraph(
      graphOf([node('a'), node('b')], [edge('a', 'b', { capabilities: [long] })]),
      PLAIN
    )
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
    assert.ok(text.replace(/\s/g, '').includes(long))
  })

  it('puts a party below whoever gives it something that counts', () => {
    const edges = [
      edge('beta', 'user'),
      edge('user', 'dms'),
      edge('alpha', 'user', { state: 'revoked', topics: [] })
    ]
    const text = printGraph(
      graphOf(
        ['alpha', 'beta', 'dms', 'user'].map(name => node(name)),
        edges
      ),
      PLAIN
    )
    const [, alpha = '', beta = ''] = text.split('\n\n')
    assert.match(alpha, /└─ user \(.*\), self, see there\n\s+revoked: '\/dms\/deployment'/)
    assert.match(beta, /└─ user \(.*\), self\n[\s\S]*└─ dms/)
  })

  it('shows trust apart from delegations, and what the limits left out', () => {
    const edges = [
      edge('dms', 'user', { kind: 'root', expiresAtNs: undefined }),
      edge('dms', 'org', { kind: 'accept', audience: didOf('dms'), depth: 2n, topics: [] })
    ]
    const graph = graphOf([node('dms'), node('org', 'organisation'), node('user', 'root')], edges)
    const text = printGraph({ ...graph, leftOut: { nodes: 3, edges: 7 } }, PLAIN)
    assert.match(text, /^delegations: none\n/)
    assert.match(text, /├─ org \(did:key:z6Mkorg\), organisation\n│ +'\/dms\/deployment'.*\n?.*only for dms/)
    assert.match(text, /depth\s+2/)
    assert.match(text, /└─ user \(did:key:z6Mkuser\), root\n +everything \(root anchor\)/)
    assert.match(text, /left out: 7 delegations and anchors, and 3 parties/)
    assert.match(printGraph(graphOf([node('dms')], []), PLAIN), /accepted: nobody/)
  })

  it('dims what does not count on a terminal', () => {
    const graph = graphOf([node('a'), node('b')], [edge('a', 'b', { state: 'expired' })])
    const text = printGraph(graph, { colours: true, outIsTerminal: true, errIsTerminal: false })
    assert.ok(text.includes('\u001b[2mexpired: '))
  })
})
