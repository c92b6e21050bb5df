import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AllocationSpec,
  allocationId,
  type Ensemble,
  manifestKey,
  nodeDemand,
  nodeExecutors,
  nodeNeedsPrivilege,
  nodeOfAllocation,
  nodePorts,
  parseAllocationId,
  parseManifestKey,
  startLevels
} from '../../../../src/dms/ensemble/index.ts'
import type { GpuResources, Resources } from '../../../../src/types/index.ts'

const small: Resources = { cpu: { cores: 0.1 }, ram: { size: 10 }, disk: { size: 100 } }

function ensemble(allocations: Record<string, Partial<AllocationSpec>>): Ensemble {
  const specs = Object.entries(allocations).map(([name, changes]): [string, AllocationSpec] => [
    name,
    {
      executor: 'docker',
      type: 'task',
      resources: small,
      execution: { type: 'docker', params: {} },
      dns_name: name,
      failure_recovery: 'stay_down',
      ...changes
    }
  ])
  const node = {
    allocations: Object.keys(allocations),
    redundancy: 0,
    failure_recovery: 'stay_down' as const
  }
  return { v1: { allocations: Object.fromEntries(specs), nodes: { n: node } } }
}

describe('start levels', () => {
  const levels = (needs: Record<string, string[]>) =>
    startLevels(
      ensemble(Object.fromEntries(Object.entries(needs).map(([name, depends_on]) => [name, { depends_on }]))),
      'n'
    )

  it('put each allocation after all it depends on', () => {
    const result = levels({ web: ['db', 'cache'], db: [], cache: ['db'], log: [] })
    assert.deepEqual(result, { ok: true, value: [['db', 'log'], ['cache'], ['web']] })
  })

  it('count a dependency named twice once', () => {
    assert.deepEqual(levels({ a: ['b', 'b'], b: [] }), { ok: true, value: [['b'], ['a']] })
  })

  it('of an unknown node are none', () => {
    assert.deepEqual(startLevels(ensemble({}), 'constructor'), { ok: true, value: [] })
  })

  it('refuse a cycle, naming its members only', () => {
    const result = levels({ x: ['a'], a: ['b'], b: ['c'], c: ['a'] })
    assert.ok(!result.ok)
    assert.equal(result.error.code, 'ENSEMBLE_CYCLE')
    assert.deepEqual(result.error.details, { cycle: ['a', 'b', 'c'] })
    assert.match(result.error.message, /'a' → 'b' → 'c' → 'a'/)
  })

  it('refuse a dependency on itself and on a name of another node', () => {
    const self = levels({ a: ['a'] })
    assert.equal(self.ok ? '' : self.error.code, 'ENSEMBLE_CYCLE')
    const unknown = levels({ a: ['b'] })
    assert.equal(unknown.ok ? '' : unknown.error.code, 'ENSEMBLE_UNKNOWN_NAME')
  })

  it('of ten thousand allocations in a row are found fast', () => {
    const needs = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [`a${index}`, index > 0 ? [`a${index - 1}`] : []])
    )
    const result = levels(needs)
    assert.equal(result.ok && result.value.length, 10_000)
  })
})

describe('the demand of a node', () => {
  const gpu = (index: number, model: string): GpuResources => ({
    index,
    vendor: 'NVIDIA',
    pci_address: '',
    model,
    vram: 1,
    uuid: ''
  })

  it('is the sum of its allocations, cores with two decimals', () => {
    const demand = nodeDemand(ensemble({ a: {}, b: {}, c: {} }), 'n')
    assert.deepEqual(demand, { cpu: { cores: 0.3 }, ram: { size: 30 }, disk: { size: 300 } })
  })

  it('has every GPU, each with an index of its own', () => {
    const demand = nodeDemand(
      ensemble({
        a: { resources: { ...small, gpus: [gpu(0, 'x'), gpu(1, 'y')] } },
        b: { resources: { ...small, gpus: [gpu(0, 'z')] } },
        c: { resources: { ...small, gpus: [gpu(5, 'w')] } }
      }),
      'n'
    )
    assert.deepEqual(
      demand.gpus?.map(({ index, model }) => [index, model]),
      [
        [0, 'x'],
        [1, 'y'],
        [2, 'z'],
        [5, 'w']
      ]
    )
  })

  it('keeps the highest clock speed and the first of other facts', () => {
    const demand = nodeDemand(
      ensemble({
        a: { resources: { ...small, cpu: { cores: 1, clock_speed: 2 } } },
        b: {
          resources: {
            ...small,
            cpu: { cores: 1, clock_speed: 3, architecture: 'arm64' },
            disk: { size: 1, type: 'ssd' }
          }
        },
        c: { resources: { ...small, cpu: { cores: 1, architecture: 'amd64' } } }
      }),
      'n'
    )
    assert.deepEqual(demand.cpu, { cores: 3, clock_speed: 3, architecture: 'arm64' })
    assert.deepEqual(demand.disk, { size: 201, type: 'ssd' })
  })

  it('does not change the ensemble', () => {
    const given = ensemble({ a: {}, b: {} })
    const before = JSON.stringify(given)
    nodeDemand(given, 'n').cpu.cores = 99
    assert.equal(JSON.stringify(given), before)
  })

  it('of an unknown node is nothing', () => {
    assert.deepEqual(nodeDemand(ensemble({}), 'x'), {
      cpu: { cores: 0 },
      ram: { size: 0 },
      disk: { size: 0 }
    })
  })
})

describe('other questions', () => {
  it('executors are listed once', () => {
    const wasm = { executor: 'wasm', execution: { type: 'wasm', params: {} } }
    assert.deepEqual(nodeExecutors(ensemble({ a: {}, b: wasm, c: {} }), 'n'), ['docker', 'wasm'])
  })

  it('ports are told apart by who chooses them', () => {
    const given = ensemble({ a: {} })
    const fixed = { public: 2000, private: 80, allocation: 'a' }
    const dynamic = { public: 0, private: 81, allocation: 'a' }
    const node = {
      ...given.v1.nodes['n'],
      allocations: ['a'],
      redundancy: 0,
      failure_recovery: 'stay_down' as const,
      ports: [dynamic, fixed]
    }
    assert.deepEqual(nodePorts({ v1: { ...given.v1, nodes: { n: node } } }, 'n'), {
      fixed: [fixed],
      dynamic: [dynamic]
    })
    assert.deepEqual(nodePorts(given, 'n'), { fixed: [], dynamic: [] })
  })

  it('privilege is needed when one docker allocation asks for it', () => {
    const privileged = { execution: { type: 'docker', params: { privileged: true } } }
    assert.equal(nodeNeedsPrivilege(ensemble({ a: {}, b: privileged }), 'n'), true)
    assert.equal(nodeNeedsPrivilege(ensemble({ a: {} }), 'n'), false)
  })

  it('an allocation knows its node', () => {
    assert.equal(nodeOfAllocation(ensemble({ a: {} }), 'a'), 'n')
    assert.equal(nodeOfAllocation(ensemble({ a: {} }), 'b'), undefined)
  })
})

describe('keys and ids', () => {
  const id = 'f'.repeat(64)

  it('are made and taken apart', () => {
    assert.equal(manifestKey('n_1', 'web'), 'n_1.web')
    assert.equal(allocationId(id, 'n_1', 'web'), `${id}_n_1.web`)
    assert.deepEqual(parseManifestKey('n_1.web'), { ok: true, value: { node: 'n_1', allocation: 'web' } })
    assert.deepEqual(parseAllocationId(`${id}_n_1.web`), {
      ok: true,
      value: { ensembleId: id, node: 'n_1', allocation: 'web' }
    })
  })

  it('of another form are refused', () => {
    for (const text of ['', 'web', '.web', 'n.', 'a.b.c'])
      assert.equal(parseManifestKey(text).ok, false, text)
    for (const text of ['', 'x', '_n.web', `${id}_web`, `${id}.n.web`, 'n.web'])
      assert.equal(parseAllocationId(text).ok, false, text)
  })
})
