/** The transform rules of deployment §1.5 and the units of §1.4.3: what a file becomes. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { base64ToBytes, bytesToUtf8, GIB } from '../../../../src/utils/index.ts'
import { errorOf, parsed, sample, several, v1Of } from './support.ts'

const resourcesOf = async (text: string) =>
  (await v1Of(sample({ resources: text }))).allocations['web']?.resources

describe('units', () => {
  it('bare sizes are GiB and bare clock speeds GHz', async () => {
    assert.deepEqual(
      await resourcesOf(
        '{ cpu: { cores: 2, clock_speed: 2.5 }, ram: { size: 0.5, clock_speed: 3 }, disk: { size: 5 } }'
      ),
      {
        cpu: { cores: 2, clock_speed: 2.5e9 },
        ram: { size: GIB / 2, clock_speed: 3e9 },
        disk: { size: 5 * GIB }
      }
    )
  })

  it('sizes have binary and decimal units', async () => {
    for (const [text, bytes] of Object.entries({
      '"1 GiB"': 1073741824,
      '1Gi': 1073741824,
      '"2 GB"': 2e9,
      '512MiB': 536870912,
      '"512 mib"': 536870912,
      '"1e-1 TiB"': 109951162777
    })) {
      const read = await resourcesOf(`{ cpu: { cores: 1 }, ram: { size: ${text} }, disk: { size: 1 } }`)
      assert.equal(read?.ram.size, bytes, text)
    }
  })

  it('cores may be fractions and quoted', async () => {
    for (const [text, cores] of [
      ['0.5', 0.5],
      ['"2"', 2],
      ['" 1.25 "', 1.25]
    ] as const) {
      const read = await resourcesOf(`{ cpu: { cores: ${text} }, ram: { size: 1 }, disk: { size: 1 } }`)
      assert.equal(read?.cpu.cores, cores)
    }
  })

  it('video memory is GiB too, and GPUs without an index are separate devices', async () => {
    const read = await resourcesOf(
      '{ cpu: { cores: 1 }, gpus: [{ vendor: nvidia, vram: 16 }, { vendor: "AMD Radeon", vram: 512MiB, model: x }], ram: { size: 1 }, disk: { size: 1 } }'
    )
    assert.deepEqual(read?.gpus, [
      { index: 0, vendor: 'NVIDIA', pci_address: '', model: '', vram: 16 * GIB, uuid: '' },
      { index: 1, vendor: 'AMD/ATI', pci_address: '', model: 'x', vram: GIB / 2, uuid: '' }
    ])
  })

  it('the interval of a health check is nanoseconds', async () => {
    const v1 = await v1Of(
      sample({ allocation: 'healthcheck: { type: http, endpoint: "http://localhost/", interval: 1m30s }' })
    )
    assert.equal(v1.allocations['web']?.healthcheck?.interval, 90e9)
  })
})

describe('resource templates', () => {
  const root = 'resources:\n  small: { cpu: { cores: 1, model: m }, ram: { size: 1 }, disk: { size: 2 } }'

  it('a name stands for the template', async () => {
    const v1 = await v1Of(sample({ resources: 'small', root }))
    assert.deepEqual(v1.allocations['web']?.resources, {
      cpu: { cores: 1, model: 'm' },
      ram: { size: GIB },
      disk: { size: 2 * GIB }
    })
    assert.equal(Object.hasOwn(v1, 'resources'), false)
  })

  it('a map with a name changes a copy: no other allocation sees it', async () => {
    const allocation = (name: string, resources: string): string =>
      `  ${name}: { type: task, executor: docker, resources: ${resources}, execution: { type: docker, image: busybox } }`
    const v1 = await v1Of(
      [
        'allocations:',
        allocation('a', '{ name: small, cpu: { cores: 4 }, ram: { size: 512MiB } }'),
        allocation('b', 'small'),
        allocation('c', '{ name: small, disk: { type: ssd } }'),
        'nodes: { n: { allocations: [a, b, c] } }',
        root
      ].join('\n')
    )
    assert.deepEqual(v1.allocations['a']?.resources, {
      cpu: { cores: 4, model: 'm' },
      ram: { size: GIB / 2 },
      disk: { size: 2 * GIB }
    })
    assert.deepEqual(v1.allocations['b']?.resources, {
      cpu: { cores: 1, model: 'm' },
      ram: { size: GIB },
      disk: { size: 2 * GIB }
    })
    assert.deepEqual(v1.allocations['c']?.resources, {
      cpu: { cores: 1, model: 'm' },
      ram: { size: GIB },
      disk: { size: 2 * GIB, type: 'ssd' }
    })
  })

  it('an unknown template is named, with the one that was meant', async () => {
    const problem = await errorOf(sample({ resources: 'smal', root }))
    assert.equal(problem.path, 'allocations.web.resources')
    assert.match(`${problem.expected} ${problem.hint}`, /'small'.*did you mean 'small'/)
  })

  it('a mistake in a template is reported once, where it stands', async () => {
    const text = several(
      { a: '', b: '' },
      { n: 'allocations: [a, b]' },
      'resources:\n  bad: { cpu: { cores: 0 }, ram: { size: 1 }, disk: { size: 1 } }'
    )
    const problem = await errorOf(text.replaceAll(/resources: \{.*?\} \}(?=, execution)/g, 'resources: bad'))
    assert.equal(problem.line, text.split('\n').findIndex(line => line.includes('bad:')) + 1)
  })
})

describe('shapes', () => {
  it('an execution is split into type and params, unknown keys included', async () => {
    const { ensemble, warnings } = await parsed(
      sample({ execution: 'cmd: [sleep, 1000], tty: true, extra: { a: [1] }' })
    )
    assert.deepEqual(ensemble.v1.allocations['web']?.execution, {
      type: 'docker',
      params: { image: 'busybox', cmd: ['sleep', '1000'], tty: true, extra: { a: [1] } }
    })
    assert.deepEqual(
      warnings.map(warning => warning.path),
      ['allocations.web.execution.tty', 'allocations.web.execution.extra']
    )
  })

  it('numbers and booleans among arguments and variables are taken as written', async () => {
    const v1 = await v1Of(sample({ execution: 'cmd: [a, 1.10, 0x10, true], environment: { V: 1.10, E: }' }))
    assert.deepEqual(v1.allocations['web']?.execution.params['cmd'], ['a', '1.10', '0x10', 'true'])
    assert.deepEqual(v1.allocations['web']?.execution.params['environment'], ['V=1.10', 'E='])
  })

  it('a map of variables becomes a list in the order of the file', async () => {
    const v1 = await v1Of(sample({ execution: 'environment: { B: 2, A: "x=y" }' }))
    assert.deepEqual(v1.allocations['web']?.execution.params['environment'], ['B=2', 'A=x=y'])
  })

  it('scripts become base64', async () => {
    const v1 = await v1Of(sample({ allocation: 'provision: [up]', root: 'scripts:\n  up: |\n    echo ü\n' }))
    assert.equal(bytesToUtf8(base64ToBytes(v1.scripts?.['up'] ?? '')), 'echo ü\n')
    assert.deepEqual(v1.allocations['web']?.provision, ['up'])
  })

  it('edge constraints become edges, with no limits by default', async () => {
    const nodes = { n: 'allocations: [a]', m: 'allocations: [b]' }
    const v1 = await v1Of(
      several(
        { a: '', b: '' },
        nodes,
        'edge_constraints: [{ edges: [n, m], rtt: 50, symetric: true }, { edges: [m, n] }]'
      )
    )
    assert.deepEqual(v1.edges, [
      { S: 'n', T: 'm', rtt: 50, bw: 0 },
      { S: 'm', T: 'n', rtt: 0, bw: 0 }
    ])
    assert.equal(Object.hasOwn(v1, 'edge_constraints'), false)
  })

  it('edge constraints replace edges, with a warning', async () => {
    const nodes = { n: 'allocations: [a]', m: 'allocations: [b]' }
    const { ensemble, warnings } = await parsed(
      several(
        { a: '', b: '' },
        nodes,
        'edge_constraints: [{ edges: [n, m], rtt: 1 }]\nedges: [{ s: m, t: n, rtt: 2 }]'
      )
    )
    assert.deepEqual(ensemble.v1.edges, [{ S: 'n', T: 'm', rtt: 1, bw: 0 }])
    assert.deepEqual(
      warnings.map(warning => warning.path),
      ['edges']
    )
  })

  it('defaults are filled in', async () => {
    const v1 = await v1Of(sample())
    assert.equal(v1.allocations['web']?.dns_name, 'web')
    assert.equal(v1.allocations['web']?.failure_recovery, 'stay_down')
    assert.deepEqual(v1.nodes['front'], {
      allocations: ['web'],
      redundancy: 0,
      failure_recovery: 'stay_down'
    })
  })

  it('the only allocation of a node is behind its ports unless told otherwise', async () => {
    const v1 = await v1Of(sample({ node: 'ports: [{ public: 0, private: 80 }]' }))
    assert.deepEqual(v1.nodes['front']?.ports, [{ public: 0, private: 80, allocation: 'web' }])
  })

  it('one volume becomes a list of one', async () => {
    const v1 = await v1Of(
      sample({ allocation: 'volume: { type: local, src: /data, mount_destination: /d, read_only: true }' })
    )
    assert.deepEqual(v1.allocations['web']?.volume, [
      { type: 'local', src: '/data', mount_destination: '/d', read_only: true }
    ])
  })

  it('empty lists and empty members are as good as absent', async () => {
    const { ensemble, warnings } = await parsed(
      sample({ allocation: 'keys: []', node: 'ports:', root: 'scripts:\nedges: []\nexclude_peers: []' })
    )
    assert.deepEqual(ensemble, (await parsed(sample())).ensemble)
    assert.deepEqual(warnings, [])
  })

  it('region, the older name of continent, is read as that', async () => {
    const { ensemble, warnings } = await parsed(
      sample({ node: 'location: { accept: [{ region: Europe }] }' })
    )
    assert.deepEqual(ensemble.v1.nodes['front']?.location, { accept: [{ continent: 'Europe' }] })
    assert.match(warnings[0]?.message ?? '', /older name/)
  })

  it('all other members arrive as they are', async () => {
    const v1 = await v1Of(
      sample({
        allocation: 'keys: [{ type: ssh, file: "ssh-ed25519 AAAA" }]',
        node: 'location: { reject: [{ continent: Asia, country: JP, city: Tokyo, asn: 1, isp: x }] }',
        root: [
          'escalation_strategy: teardown',
          'subnet: { join: true }',
          'exclude_peers: [12D3KooWA]',
          'metadata: { team: 7 }',
          'keys: { me: "ssh-rsa AAAA" }',
          'supervisor: { strategy: OneForOne, allocations: [web], children: [{ strategy: RestForOne }] }',
          'contracts: { c: { did: "did:key:a", host: "did:key:b" } }'
        ].join('\n')
      })
    )
    assert.deepEqual(v1.allocations['web']?.keys, [{ type: 'ssh', file: 'ssh-ed25519 AAAA' }])
    assert.deepEqual(v1.nodes['front']?.location, {
      reject: [{ continent: 'Asia', country: 'JP', city: 'Tokyo', asn: 1, isp: 'x' }]
    })
    const { escalation_strategy, subnet, exclude_peers, metadata, keys, supervisor, contracts } = v1
    assert.deepEqual(
      { escalation_strategy, subnet, exclude_peers, metadata, keys, supervisor, contracts },
      {
        escalation_strategy: 'teardown',
        subnet: { join: true },
        exclude_peers: ['12D3KooWA'],
        metadata: { team: '7' },
        keys: { me: 'ssh-rsa AAAA' },
        supervisor: { strategy: 'OneForOne', allocations: ['web'], children: [{ strategy: 'RestForOne' }] },
        contracts: { c: { did: 'did:key:a', host: 'did:key:b' } }
      }
    )
  })
})

describe('unknown keys', () => {
  it('are dropped with a warning and the key that was meant', async () => {
    const { ensemble, warnings } = await parsed(
      sample({ allocation: 'dnsname: other', node: 'port: []', root: 'volumes: { v: {} }' })
    )
    assert.deepEqual(ensemble, (await parsed(sample())).ensemble)
    assert.deepEqual(
      warnings.map(warning => [warning.path, warning.hint]),
      [
        ['allocations.web.dnsname', "did you mean 'dns_name'?"],
        ['nodes.front.port', "did you mean 'ports'?"],
        ['volumes', "give each allocation its 'volume' list"]
      ]
    )
  })

  it('older spellings of resource members are among them', async () => {
    const { ensemble, warnings } = await parsed(
      sample({ resources: '{ cpu: { cores: 1, clockspeed: 5 }, ram: { size: 1 }, disk: { size: 1 } }' })
    )
    assert.deepEqual(ensemble, (await parsed(sample())).ensemble)
    assert.equal(warnings[0]?.hint, "did you mean 'clock_speed'?")
  })

  it('known keys in another case are read, as existing readers do', async () => {
    const v1 = await v1Of(sample({ node: 'Redundancy: 2' }))
    assert.equal(v1.nodes['front']?.redundancy, 2)
  })

  it('an allocation on no node gets a warning', async () => {
    const { warnings } = await parsed(several({ a: '', b: '' }, { n: 'allocations: [a]' }))
    assert.deepEqual(
      warnings.map(warning => warning.path),
      ['allocations.b']
    )
  })

  it('a port that leads to another node gets a warning', async () => {
    const { warnings } = await parsed(
      several(
        { a: '', b: '' },
        { n: 'allocations: [a], ports: [{ public: 2000, private: 1, allocation: b }]', m: 'allocations: [b]' }
      )
    )
    assert.deepEqual(
      warnings.map(warning => warning.path),
      ['nodes.n.ports[0].allocation']
    )
  })
})
