/** The tolerant reader of ensembles made by other programs. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ensembleSchema } from '../../../../src/dms/ensemble/index.ts'

const allocation = {
  executor: 'docker',
  type: 'task',
  resources: { cpu: { cores: 1 }, ram: { size: 1 }, disk: { size: 1 } },
  execution: { type: 'docker', params: { image: 'busybox' } },
  dns_name: 'web',
  failure_recovery: 'stay_down'
}
const node = { allocations: ['web'], redundancy: 0, failure_recovery: 'stay_down' }
const whole = { v1: { allocations: { web: allocation }, nodes: { front: node } } }

const read = (value: unknown) => ensembleSchema.parse(JSON.parse(JSON.stringify(value)))
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const refused = (value: unknown): boolean => !ensembleSchema.safeParse(value).success

describe('the wire form', () => {
  it('is read as it is', () => {
    assert.deepEqual(plain(read(whole)), whole)
  })

  it('may be wrapped as V1, with members in the writer’s case', () => {
    const pascal = {
      V1: {
        Allocations: {
          web: {
            Executor: 'docker',
            Type: 'task',
            Resources: { CPU: { Cores: 1 }, RAM: { Size: 1 }, Disk: { Size: 1 } },
            Execution: { Type: 'docker', Params: { image: 'busybox' } },
            dns_name: 'web'
          }
        },
        Nodes: { front: { Allocations: ['web'] } }
      }
    }
    assert.deepEqual(plain(read(pascal)), whole)
  })

  it('counts null and zero members as absent', () => {
    const sparse = {
      v1: {
        escalation_strategy: '',
        edges: null,
        supervisor: { strategy: '', allocations: null, children: null },
        keys: null,
        scripts: {},
        subnet: null,
        exclude_peers: null,
        metadata: null,
        contracts: null,
        allocations: {
          web: {
            ...allocation,
            resources: {
              cpu: { cores: 1, clock_speed: 0, model: '' },
              ram: { size: 1 },
              disk: { size: 1 },
              gpus: null
            },
            keys: null,
            provision: null,
            healthcheck: {
              type: '',
              exec: null,
              endpoint: '',
              response: { type: '', value: '' },
              interval: 0
            },
            volume: null,
            depends_on: null,
            failure_recovery: ''
          }
        },
        nodes: {
          front: {
            ...node,
            ports: null,
            location: { accept: null, reject: null },
            peer: '',
            failure_recovery: ''
          }
        }
      }
    }
    assert.deepEqual(plain(read(sparse)), { v1: { ...whole.v1, supervisor: {} } })
  })

  it('of v0.5, without types and names, gets the defaults', () => {
    const { v1 } = read({
      v1: {
        allocations: { web: { execution: allocation.execution, resources: allocation.resources } },
        nodes: { front: { allocations: ['web'] } }
      }
    })
    assert.deepEqual(plain(v1.allocations['web']), { ...allocation, type: 'service' })
  })

  it('may have unknown members', () => {
    assert.deepEqual(
      plain(
        read({ ...whole, other: 1, v1: { ...whole.v1, future: {}, nodes: { front: { ...node, x: 1 } } } })
      ),
      whole
    )
  })

  it('keeps parameters of any form', () => {
    const params = { image: 'a', nested: { list: [1, null, { deep: true }] } }
    const { v1 } = read({
      v1: { ...whole.v1, allocations: { web: { ...allocation, execution: { type: 'docker', params } } } }
    })
    assert.deepEqual(v1.allocations['web']?.execution.params, params)
  })

  it('reads edges and health checks of any case, and one volume as a list', () => {
    const check = {
      Type: 'http',
      Endpoint: 'http://x/',
      Interval: 5e9,
      Response: { Type: 'string', Value: 'ok' }
    }
    const { v1 } = read({
      v1: {
        ...whole.v1,
        edges: [{ s: 'a', t: 'b', RTT: 5 }],
        allocations: { web: { ...allocation, healthcheck: check, volume: { type: 'local' } } }
      }
    })
    assert.deepEqual(v1.edges, [{ S: 'a', T: 'b', rtt: 5, bw: 0 }])
    assert.deepEqual(plain(v1.allocations['web']?.healthcheck), {
      type: 'http',
      endpoint: 'http://x/',
      interval: 5e9,
      response: { type: 'string', value: 'ok' }
    })
    assert.deepEqual(v1.allocations['web']?.volume, [{ type: 'local' }])
  })

  it('calls region continent', () => {
    const { v1 } = read({
      v1: { ...whole.v1, nodes: { front: { ...node, location: { accept: [{ region: 'Europe' }] } } } }
    })
    assert.deepEqual(plain(v1.nodes['front']?.location), { accept: [{ continent: 'Europe' }] })
  })
})

describe('what is no ensemble', () => {
  it('is refused, not thrown at', () => {
    for (const value of [
      null,
      undefined,
      1,
      'x',
      [],
      {},
      { v1: null },
      { v2: {} },
      { v1: [] },
      { v1: { allocations: [] } }
    ]) {
      assert.ok(refused(value), JSON.stringify(value))
    }
  })

  it('has members of the wrong kind', () => {
    for (const nodes of [
      { front: 1 },
      { front: { allocations: 'web' } },
      { front: { ...node, redundancy: -1 } },
      { front: { ...node, ports: [{ public: 70000 }] } }
    ]) {
      assert.ok(refused({ v1: { ...whole.v1, nodes } }), JSON.stringify(nodes))
    }
    assert.ok(refused({ v1: { ...whole.v1, allocations: { web: { ...allocation, type: 'daemon' } } } }))
    assert.ok(
      refused({
        v1: { ...whole.v1, allocations: { web: { ...allocation, resources: { cpu: { cores: -1 } } } } }
      })
    )
  })
})

describe('bounds', () => {
  const many = (count: number, value: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, value]))

  it('nodes, allocations of a node and texts are limited', () => {
    assert.ok(!refused({ v1: { ...whole.v1, nodes: many(1024, node) } }))
    assert.ok(refused({ v1: { ...whole.v1, nodes: many(1025, node) } }))
    const list = Array.from({ length: 65 }, (_, index) => `a${index}`)
    assert.ok(!refused({ v1: { ...whole.v1, nodes: { n: { ...node, allocations: list.slice(1) } } } }))
    assert.ok(refused({ v1: { ...whole.v1, nodes: { n: { ...node, allocations: list } } } }))
    assert.ok(
      refused({ v1: { ...whole.v1, allocations: { web: { ...allocation, dns_name: 'x'.repeat(5000) } } } })
    )
  })

  it('parameters are limited in depth and size', () => {
    const withParams = (params: unknown) => ({
      v1: { ...whole.v1, allocations: { web: { ...allocation, execution: { type: 'docker', params } } } }
    })
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = [deep]
    assert.ok(refused(withParams({ deep })))
    assert.ok(refused(withParams({ wide: Array.from({ length: 20_000 }, () => 1) })))
  })

  it('supervisors are limited in depth', () => {
    let supervisor: object = {}
    for (let level = 0; level < 20; level++) supervisor = { children: [supervisor] }
    assert.ok(refused({ v1: { ...whole.v1, supervisor } }))
  })

  it('a member called like the prototype changes nothing', () => {
    const text = JSON.stringify(whole).replace(
      '"nodes":{',
      '"__proto__":{"polluted":true},"nodes":{"__proto__":{"allocations":[]},'
    )
    const result = ensembleSchema.safeParse(JSON.parse(text))
    assert.equal(Reflect.get({}, 'polluted'), undefined)
    if (result.success) assert.equal(Reflect.get(result.data.v1.nodes, 'polluted'), undefined)
  })
})
