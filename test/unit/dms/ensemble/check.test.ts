import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AllocationSpec,
  checkEnsemble,
  type EnsembleV1,
  type NodeSpec
} from '../../../../src/dms/ensemble/index.ts'

const allocation = (changes: Partial<AllocationSpec> = {}): AllocationSpec => ({
  executor: 'docker',
  type: 'task',
  resources: { cpu: { cores: 1 }, ram: { size: 1 }, disk: { size: 1 } },
  execution: { type: 'docker', params: {} },
  dns_name: 'a',
  failure_recovery: 'stay_down',
  ...changes
})
const node = (changes: Partial<NodeSpec> = {}): NodeSpec => ({
  allocations: ['a'],
  redundancy: 0,
  failure_recovery: 'stay_down',
  ...changes
})

const codes = (changes: Partial<EnsembleV1>): string[] =>
  checkEnsemble({ v1: { allocations: { a: allocation() }, nodes: { n: node() }, ...changes } }).map(
    refusal => refusal.code
  )

describe('an incoming ensemble', () => {
  it('that is sound meets no objection', () => {
    assert.deepEqual(codes({}), [])
  })

  it('needs allocations, nodes, and allocations on its nodes', () => {
    assert.deepEqual(codes({ allocations: {}, nodes: {} }), ['ENSEMBLE_EMPTY', 'ENSEMBLE_EMPTY'])
    assert.deepEqual(codes({ nodes: { n: node(), m: node({ allocations: [] }) } }), ['ENSEMBLE_EMPTY'])
  })

  it('gives no peer two nodes, since a peer takes only one', () => {
    const allocations = { a: allocation(), b: allocation({ dns_name: 'b' }) }
    const nodes = { n: node({ peer: '12D3KooWx' }), m: node({ allocations: ['b'], peer: '12D3KooWx' }) }
    assert.deepEqual(codes({ allocations, nodes }), ['ENSEMBLE_DUPLICATE'])
  })

  it('names allocations that exist, each on one node', () => {
    assert.deepEqual(codes({ nodes: { n: node({ allocations: ['a', 'b'] }) } }), ['ENSEMBLE_UNKNOWN_NAME'])
    assert.deepEqual(codes({ nodes: { n: node({ allocations: ['a', 'toString'] }) } }), [
      'ENSEMBLE_UNKNOWN_NAME'
    ])
    assert.deepEqual(codes({ nodes: { n: node(), m: node() } }), ['ENSEMBLE_DUPLICATE'])
  })

  it('has names its keys can be made of', () => {
    assert.deepEqual(codes({ nodes: { 'n.1': node() } }), ['ENSEMBLE_NAME'])
    assert.deepEqual(
      codes({ allocations: { 'a.b': allocation() }, nodes: { n: node({ allocations: ['a.b'] }) } }),
      ['ENSEMBLE_NAME']
    )
    assert.deepEqual(codes({ allocations: { a: allocation({ dns_name: 'x y' }) } }), ['ENSEMBLE_NAME'])
  })

  it('has names that differ', () => {
    const both = { nodes: { n: node({ allocations: ['a', 'A'] }) } }
    assert.deepEqual(codes({ ...both, allocations: { a: allocation(), A: allocation({ dns_name: 'b' }) } }), [
      'ENSEMBLE_DUPLICATE'
    ])
    const dns = { nodes: { n: node({ allocations: ['a', 'b'] }) } }
    assert.deepEqual(codes({ ...dns, allocations: { a: allocation(), b: allocation() } }), [
      'ENSEMBLE_DUPLICATE'
    ])
  })

  it('asks for something, of one executor', () => {
    assert.deepEqual(
      codes({
        allocations: {
          a: allocation({ resources: { cpu: { cores: 0 }, ram: { size: 1 }, disk: { size: 0 } } })
        }
      }),
      ['ENSEMBLE_RESOURCES', 'ENSEMBLE_RESOURCES']
    )
    assert.deepEqual(codes({ allocations: { a: allocation({ executor: 'wasm' }) } }), ['ENSEMBLE_EXECUTION'])
    assert.deepEqual(
      codes({ allocations: { a: allocation({ executor: '', execution: { type: '', params: {} } }) } }),
      ['ENSEMBLE_EXECUTION']
    )
  })

  it('has the scripts it runs', () => {
    assert.deepEqual(codes({ allocations: { a: allocation({ provision: ['s'] }) } }), [
      'ENSEMBLE_UNKNOWN_NAME'
    ])
    assert.deepEqual(codes({ allocations: { a: allocation({ provision: ['s'] }) }, scripts: { s: '' } }), [])
  })

  it('has ports that can be had and lead somewhere', () => {
    const port = (changes: object) =>
      codes({ nodes: { n: node({ ports: [{ public: 2000, private: 80, allocation: 'a', ...changes }] }) } })
    assert.deepEqual(port({}), [])
    assert.deepEqual(port({ public: 0 }), [])
    for (const changes of [{ public: 22 }, { private: 0 }, { allocation: 'b' }])
      assert.deepEqual(port(changes), ['ENSEMBLE_PORT'])
    const twice = [
      { public: 2000, private: 80, allocation: 'a' },
      { public: 2000, private: 81, allocation: 'a' }
    ]
    assert.deepEqual(codes({ nodes: { n: node({ ports: twice }) } }), ['ENSEMBLE_PORT'])
  })

  it('can be started', () => {
    const nodes = { n: node({ allocations: ['a', 'b'] }) }
    const two = (a: string[], b: string[]) =>
      codes({
        nodes,
        allocations: { a: allocation({ depends_on: a }), b: allocation({ dns_name: 'b', depends_on: b }) }
      })
    assert.deepEqual(two([], ['a']), [])
    assert.deepEqual(two(['b'], ['a']), ['ENSEMBLE_CYCLE'])
    assert.deepEqual(two(['c'], []), ['ENSEMBLE_UNKNOWN_NAME'])
  })

  it('has edges between two of its nodes', () => {
    for (const T of ['n', 'x', 'constructor']) {
      assert.deepEqual(codes({ edges: [{ S: 'n', T, rtt: 0, bw: 0 }] }), ['ENSEMBLE_EDGE'], T)
    }
  })

  it('with thousands of mistakes yields a few dozen', () => {
    const nodes = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`n.${index}`, node()]))
    assert.equal(codes({ nodes }).length, 32)
  })
})
