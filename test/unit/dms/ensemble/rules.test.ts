/** One test for each rule of deployment §1.7: the mistake is found, named by its path, and nothing else is. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseEnsembleFile } from '../../../../src/dms/ensemble/index.ts'
import { EMPTY_MODULE, errorOf, errorsOf, options, parsed, sample, several } from './support.ts'

/** Rule, file, path of the problem, and part of what it says. */
type Case = readonly [rule: string, text: string, path: string, says: RegExp]

function check(cases: readonly Case[]): void {
  for (const [rule, text, path, says] of cases) {
    it(rule, async () => {
      const problem = await errorOf(text)
      assert.equal(problem.path, path)
      assert.equal(problem.severity, 'error')
      assert.match(`${problem.expected} ${problem.message} ${problem.hint}`, says)
    })
  }
}

const without = (text: string, part: RegExp): string => {
  assert.match(text, part)
  return text.replace(part, '')
}

describe('rules for the whole file', () => {
  check([
    ['a file that is a list is refused', '- a', '', /expected an ensemble|an ensemble: a map/],
    ['an empty file is refused', '', '', /found nothing/],
    ['nodes must be there', without(sample(), /nodes:[\s\S]*/), 'nodes', /at least one node/],
    ['the version is V1', sample().replace('V1', 'V3'), 'version', /'V1'/],
    [
      'the escalation strategy is one of two',
      sample({ root: 'escalation_strategy: panic' }),
      'escalation_strategy',
      /'redeploy' or 'teardown'/
    ],
    ['an empty subnet is refused', sample({ root: 'subnet:' }), 'subnet', /join/],
    ['an empty subnet map is refused', sample({ root: 'subnet: {}' }), 'subnet.join', /found nothing/],
    ['join is a boolean', sample({ root: 'subnet: { join: maybe }' }), 'subnet.join', /'true' or 'false'/],
    ['excluded peers are names', sample({ root: 'exclude_peers: [{}]' }), 'exclude_peers[0]', /an empty map/],
    ['metadata is flat', sample({ root: 'metadata: { a: [1] }' }), 'metadata.a', /a list/],
    [
      'a contract has a did',
      sample({ root: 'contracts: { c: { host: "did:key:z" } }' }),
      'contracts.c.did',
      /a DID/
    ]
  ])

  it('allocations must be there', async () => {
    const errors = await errorsOf('nodes: { n: { allocations: [x] } }')
    assert.deepEqual(errors.map(error => error.path).sort(), ['allocations', 'nodes.n.allocations[0]'])
  })

  it('an empty map of allocations or nodes is refused', async () => {
    const errors = await errorsOf('allocations: {}\nnodes: {}')
    assert.deepEqual(
      errors.map(error => error.path),
      ['allocations', 'nodes']
    )
  })

  it('the form that travels is recognised', async () => {
    const errors = await errorsOf('{"v1": {"allocations": {}}}')
    assert.ok(errors.some(error => error.path === 'v1' && /travel/.test(error.hint ?? '')))
  })

  it('a version in any case, the older name and none at all are accepted', async () => {
    for (const version of ['version: v1', 'version: "ensembleV1"', 'version: ENSEMBLEv1', 'other: 1']) {
      await parsed(sample().replace('version: V1', version))
    }
  })
})

describe('rules for names', () => {
  const named = (name: string): string => several({ [name]: '' }, { n: `allocations: [${name}]` })
  check([
    ['an allocation name has no dot', named('a.b'), 'allocations.a.b', /dot/],
    ['an allocation name has no underscore', named('a_b'), 'allocations.a_b', /letters, digits and '-'/],
    ['an allocation name does not begin with a hyphen', named('"-a"'), 'allocations.-a', /letters/],
    ['an allocation name does not end with a hyphen', named('a-'), 'allocations.a-', /letters/],
    [
      'an allocation name has at most 63 characters',
      named('a'.repeat(64)),
      `allocations.${'a'.repeat(64)}`,
      /63/
    ],
    [
      'allocation names differ in more than case',
      several({ Web: 'dns_name: a', web: 'dns_name: b' }, { n: 'allocations: [Web, web]' }),
      'allocations.web',
      /case/
    ],
    ['a node name has no dot', several({ a: '' }, { 'n.1': 'allocations: [a]' }), 'nodes.n.1', /dot/],
    ['a node name is not empty', several({ a: '' }, { '""': 'allocations: [a]' }), 'nodes.', /1 to 63/],
    [
      'a dns_name is a host name',
      sample({ allocation: 'dns_name: my_web' }),
      'allocations.web.dns_name',
      /host name/
    ],
    [
      'a dns_name is not empty',
      sample({ allocation: 'dns_name: ""' }),
      'allocations.web.dns_name',
      /empty text/
    ],
    [
      'DNS names are unique',
      several({ a: 'dns_name: x', b: 'dns_name: x' }, { n: 'allocations: [a, b]' }),
      'allocations.b.dns_name',
      /for 'a' and 'b'/
    ],
    [
      'a DNS name is not the default one of another',
      several({ a: '', b: 'dns_name: a' }, { n: 'allocations: [a, b]' }),
      'allocations.b.dns_name',
      /for 'a' and 'b'/
    ],
    [
      'a node is not called as a standby of another',
      several({ a: '', b: '' }, { n: 'allocations: [a], redundancy: 1', 'n-standby-1': 'allocations: [b]' }),
      'nodes.n-standby-1',
      /standby/
    ]
  ])

  it('names of 63 characters, with inner hyphens, and named like members of Object are accepted', async () => {
    for (const name of ['a'.repeat(63), 'a-b', '9', 'constructor', 'toString']) await parsed(named(name))
  })

  it('DNS names that differ in case only are accepted, as the existing reader does', async () => {
    await parsed(several({ a: 'dns_name: Web', b: 'dns_name: web' }, { n: 'allocations: [a, b]' }))
  })
})

describe('rules for allocations', () => {
  const line = (name: string): RegExp => new RegExp(`    ${name}: .*\n`)
  check([
    ['type must be there', without(sample(), line('type')), 'allocations.web.type', /'service' or 'task'/],
    [
      'type is service or task',
      sample().replace('type: task', 'type: servise'),
      'allocations.web.type',
      /did you mean 'service'/
    ],
    [
      'executor must be there',
      without(sample(), line('executor')),
      'allocations.web.executor',
      /an executor/
    ],
    [
      'execution must be there',
      without(sample(), line('execution')),
      'allocations.web.execution',
      /found nothing/
    ],
    [
      'execution has a type',
      sample().replace('type: docker, ', ''),
      'allocations.web.execution.type',
      /an executor/
    ],
    [
      'executor and execution type are the same',
      sample().replace('executor: docker', 'executor: wasm'),
      'allocations.web.executor',
      /'docker', the type of its execution/
    ],
    [
      'an unknown execution type is refused',
      sample().replace('type: docker', 'type: podman'),
      'allocations.web.execution.type',
      /'docker', 'wasm', 'firecracker' or 'null'/
    ],
    [
      'mock is refused outside tests',
      sample().replace('type: docker', 'type: mock'),
      'allocations.web.execution.type',
      /found 'mock'/
    ],
    [
      'failure_recovery is one of four',
      sample({ allocation: 'failure_recovery: restart' }),
      'allocations.web.failure_recovery',
      /'stay_down', 'one_for_one', 'one_for_all' or 'rest_for_one'/
    ],
    [
      'a key is ssh or gpg',
      sample({ allocation: 'keys: [{ type: rsa, file: k }]' }),
      'allocations.web.keys[0].type',
      /'ssh' or 'gpg'/
    ],
    [
      'a key has a file',
      sample({ allocation: 'keys: [{ type: ssh }]' }),
      'allocations.web.keys[0].file',
      /found nothing/
    ],
    [
      'a gpg key has a destination',
      sample({ allocation: 'keys: [{ type: gpg, file: k }]' }),
      'allocations.web.keys[0].dest',
      /a path/
    ],
    [
      'a key by name must exist',
      sample({ allocation: 'keys: [me]' }),
      'allocations.web.keys[0]',
      /top-level 'keys'/
    ],
    [
      'provision needs scripts',
      sample({ allocation: 'provision: [setup]' }),
      'allocations.web.provision[0]',
      /script/
    ],
    [
      'a provision script must exist',
      sample({ allocation: 'provision: [setup]', root: 'scripts: { set-up: "true" }' }),
      'allocations.web.provision[0]',
      /did you mean 'set-up'/
    ],
    [
      'depends_on names known allocations',
      sample({ allocation: 'depends_on: [db]' }),
      'allocations.web.depends_on[0]',
      /found 'db'/
    ],
    [
      'depends_on is not itself',
      sample({ allocation: 'depends_on: [web]' }),
      'allocations.web.depends_on[0]',
      /another allocation than itself/
    ],
    [
      'depends_on is a list',
      sample({ allocation: 'depends_on: web' }),
      'allocations.web.depends_on',
      /a list of allocation names/
    ],
    [
      'depends_on has no cycle',
      several(
        { a: 'depends_on: [b]', b: 'depends_on: [c]', c: 'depends_on: [a]' },
        { n: 'allocations: [a, b, c]' }
      ),
      'allocations.a.depends_on',
      /'a' → 'b' → 'c' → 'a'/
    ],
    [
      'depends_on stays on one node',
      several({ a: 'depends_on: [b]', b: '' }, { n: 'allocations: [a]', m: 'allocations: [b]' }),
      'allocations.a.depends_on[0]',
      /'a' is on 'n', 'b' on 'm'/
    ],
    [
      'an empty health check is refused',
      sample({ allocation: 'healthcheck: {}' }),
      'allocations.web.healthcheck',
      /an empty map/
    ],
    [
      'an empty text is no health check',
      sample({ allocation: 'healthcheck: ""' }),
      'allocations.web.healthcheck',
      /empty text/
    ],
    [
      'a health check has a type',
      sample({ allocation: 'healthcheck: { exec: [a] }' }),
      'allocations.web.healthcheck.type',
      /'command' or 'http'/
    ],
    [
      'a command health check has a command',
      sample({ allocation: 'healthcheck: { type: command }' }),
      'allocations.web.healthcheck.exec',
      /a list/
    ],
    [
      'a command health check is not empty',
      sample({ allocation: 'healthcheck: { type: command, exec: [] }' }),
      'allocations.web.healthcheck.exec',
      /an empty list/
    ],
    [
      'an http health check has an endpoint',
      sample({ allocation: 'healthcheck: { type: http }' }),
      'allocations.web.healthcheck.endpoint',
      /a URL/
    ],
    [
      'an endpoint is an http URL',
      sample({ allocation: 'healthcheck: { type: http, endpoint: "file:///etc" }' }),
      'allocations.web.healthcheck.endpoint',
      /a URL/
    ],
    [
      'an interval has a unit',
      sample({ allocation: 'healthcheck: { type: command, exec: [a], interval: 30 }' }),
      'allocations.web.healthcheck.interval',
      /'30s'/
    ],
    [
      'an interval is above zero',
      sample({ allocation: 'healthcheck: { type: command, exec: [a], interval: 0s }' }),
      'allocations.web.healthcheck.interval',
      /above 0/
    ],
    [
      'a volume has a type',
      sample({ allocation: 'volume: [{ src: /a }]' }),
      'allocations.web.volume[0].type',
      /'local' or 'glusterfs'/
    ],
    [
      'a local volume has a source',
      sample({ allocation: 'volume: { type: local }' }),
      'allocations.web.volume.src',
      /a path/
    ]
  ])

  it('mock is accepted when allowed, with whatever knobs', async () => {
    const text = sample().replaceAll('docker', 'mock').replace('image: busybox', 'run_for: 5s, exit: 3')
    const { ensemble, warnings } = await parsed(text, options({}, { allowMock: true }))
    assert.deepEqual(ensemble.v1.allocations['web']?.execution, {
      type: 'mock',
      params: { run_for: '5s', exit: 3 }
    })
    assert.deepEqual(warnings, [])
  })

  it('the executor null may be written without quotes', async () => {
    const text = sample()
      .replace('executor: docker', 'executor: null')
      .replace('type: docker, image: busybox', 'type: null')
    const { ensemble } = await parsed(text)
    assert.equal(ensemble.v1.allocations['web']?.executor, 'null')
    assert.deepEqual(ensemble.v1.allocations['web']?.execution, { type: 'null', params: {} })
  })
})

describe('rules for resources', () => {
  const resources = (text: string): string => sample({ resources: text })
  const at = 'allocations.web.resources'
  check([
    ['resources must be there', without(sample(), / {4}resources: .*\n/), at, /'cpu', 'ram' and 'disk'/],
    ['cpu must be there', resources('{ ram: { size: 1 }, disk: { size: 1 } }'), `${at}.cpu`, /cores/],
    ['ram must be there', resources('{ cpu: { cores: 1 }, disk: { size: 1 } }'), `${at}.ram`, /size/],
    ['disk must be there', resources('{ cpu: { cores: 1 }, ram: { size: 1 } }'), `${at}.disk`, /size/],
    [
      'cores must be there',
      resources('{ cpu: {}, ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.cpu.cores`,
      /found nothing/
    ],
    [
      'cores are above zero',
      resources('{ cpu: { cores: 0 }, ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.cpu.cores`,
      /above 0/
    ],
    [
      'cores have no unit',
      resources('{ cpu: { cores: 500m }, ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.cpu.cores`,
      /found '500m'/
    ],
    [
      'cores are a finite number',
      resources('{ cpu: { cores: .inf }, ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.cpu.cores`,
      /above 0/
    ],
    [
      'ram is above zero',
      resources('{ cpu: { cores: 1 }, ram: { size: 0 }, disk: { size: 1 } }'),
      `${at}.ram.size`,
      /above 0/
    ],
    [
      'ram is not negative',
      resources('{ cpu: { cores: 1 }, ram: { size: -1 }, disk: { size: 1 } }'),
      `${at}.ram.size`,
      /above 0/
    ],
    [
      'disk size must be there',
      resources('{ cpu: { cores: 1 }, ram: { size: 1 }, disk: { type: ssd } }'),
      `${at}.disk.size`,
      /found nothing/
    ],
    [
      'a size with a comma is refused',
      resources('{ cpu: { cores: 1 }, ram: { size: "1,5" }, disk: { size: 1 } }'),
      `${at}.ram.size`,
      /'1,5'/
    ],
    [
      'a clock speed is above zero',
      resources('{ cpu: { cores: 1, clock_speed: 0 }, ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.cpu.clock_speed`,
      /GHz/
    ],
    [
      'an architecture is not empty',
      resources('{ cpu: { cores: 1, architecture: "" }, ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.cpu.architecture`,
      /empty text/
    ],
    [
      'a disk type is not empty',
      resources('{ cpu: { cores: 1 }, ram: { size: 1 }, disk: { size: 1, type: "" } }'),
      `${at}.disk.type`,
      /empty text/
    ],
    [
      'gpus are a list',
      resources('{ cpu: { cores: 1 }, gpus: 2, ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.gpus`,
      /a list/
    ],
    [
      'a GPU is a map',
      resources('{ cpu: { cores: 1 }, gpus: [nvidia], ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.gpus[0]`,
      /a map/
    ],
    [
      'a GPU vendor is not empty',
      resources('{ cpu: { cores: 1 }, gpus: [{ vendor: "" }], ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.gpus[0].vendor`,
      /empty text/
    ],
    [
      'GPU memory is above zero',
      resources('{ cpu: { cores: 1 }, gpus: [{ memory: 0 }], ram: { size: 1 }, disk: { size: 1 } }'),
      `${at}.gpus[0].memory`,
      /above 0/
    ]
  ])
})

describe('rules for docker executions', () => {
  const at = 'allocations.web.execution'
  const image = (text: string): string => sample().replace('image: busybox', `image: ${text}`)
  check([
    ['image must be there', without(sample(), /, image: busybox/), `${at}.image`, /a docker image/],
    ['image paths are lower case', image('Team/Web'), `${at}.image`, /lower case/],
    ['digests are refused', image(`"busybox@sha256:${'a'.repeat(64)}"`), `${at}.image`, /digest/],
    ['doubled separators are refused', image('team//web'), `${at}.image`, /a docker image/],
    ['a doubled hyphen in a tag is refused', image('"web:1--2"'), `${at}.image`, /a docker image/],
    ['an image is no number', image('1.10'), `${at}.image`, /"1.10"/],
    [
      'cmd is a list, and the list is shown',
      sample({ execution: 'cmd: sleep 5' }),
      `${at}.cmd`,
      /\["sleep", "5"\]/
    ],
    [
      'a command with shell syntax is shown with its shell',
      sample({ execution: 'cmd: "a && b"' }),
      `${at}.cmd`,
      /\["sh", "-c", "a && b"\]/
    ],
    [
      'entrypoint is a list',
      sample({ execution: 'entrypoint: /bin/run' }),
      `${at}.entrypoint`,
      /\["\/bin\/run"\]/
    ],
    ['an argument is not a map', sample({ execution: 'cmd: [{ a: b }]' }), `${at}.cmd[0]`, /a map/],
    [
      'a variable has an equals sign',
      sample({ execution: 'environment: [PATH]' }),
      `${at}.environment[0]`,
      /KEY=VALUE/
    ],
    [
      'a variable name has no digit in front',
      sample({ execution: 'environment: ["1A=x"]' }),
      `${at}.environment[0]`,
      /KEY=VALUE/
    ],
    [
      'a variable name of a map is checked',
      sample({ execution: 'environment: { "A B": x }' }),
      `${at}.environment.A B`,
      /found 'A B'/
    ],
    [
      'a working directory is not empty',
      sample({ execution: 'working_directory: ""' }),
      `${at}.working_directory`,
      /empty text/
    ],
    [
      'a working directory is absolute',
      sample({ execution: 'working_directory: app' }),
      `${at}.working_directory`,
      /absolute/
    ],
    [
      'privileged is a boolean',
      sample({ execution: 'privileged: sudo' }),
      `${at}.privileged`,
      /'true' or 'false'/
    ]
  ])

  it('image names of every allowed form are accepted', async () => {
    for (const name of [
      'busybox',
      'nginxdemos/hello:plain-text',
      'localhost:5000/a/b_c/d.e-f:V1.2_3',
      'ghcr.io/a/b'
    ]) {
      await parsed(image(`"${name}"`))
    }
  })
})

describe('rules for other executions', () => {
  const fire = (text: string): string =>
    sample()
      .replace('executor: docker', 'executor: firecracker')
      .replace('type: docker, image: busybox', `type: firecracker${text}`)
  const wasm = (text: string): string =>
    sample()
      .replace('executor: docker', 'executor: wasm')
      .replace('type: docker, image: busybox', `type: wasm${text}`)
  const at = 'allocations.web.execution'
  check([
    ['firecracker needs a kernel', fire(', root_file_system: r'), `${at}.kernel_image`, /a path/],
    ['firecracker needs a root file system', fire(', kernel_image: k'), `${at}.root_file_system`, /a path/],
    [
      'kernel arguments are not empty',
      fire(', kernel_image: k, root_file_system: r, kernel_args: ""'),
      `${at}.kernel_args`,
      /empty text/
    ],
    [
      'an initrd is not empty',
      fire(', kernel_image: k, root_file_system: r, initrd: ""'),
      `${at}.initrd`,
      /empty text/
    ],
    ['wasm needs a module', wasm(''), `${at}.module`, /found nothing/],
    ['a missing module is named', wasm(', module: ./no.wasm'), `${at}.module`, /no such file/],
    [
      'another kind of data URL is refused',
      wasm(', module: "data:text/plain,hello"'),
      `${at}.module`,
      /data:application\/wasm/
    ],
    [
      'broken base64 is refused',
      wasm(', module: "data:application/wasm;base64,AGFz!"'),
      `${at}.module`,
      /base64/
    ],
    [
      'data that is no module is refused',
      wasm(', module: "data:application/wasm;base64,aGVsbG8="'),
      `${at}.module`,
      /asm/
    ]
  ])

  it('a time limit has a unit', async () => {
    const problem = await errorOf(
      wasm(', module: a.wasm, time_limit: 30'),
      options({ '/work/a.wasm': EMPTY_MODULE })
    )
    assert.equal(problem.path, `${at}.time_limit`)
  })

  it('wasm arguments are a list', async () => {
    const problem = await errorOf(
      wasm(', module: a.wasm, args: one two'),
      options({ '/work/a.wasm': EMPTY_MODULE })
    )
    assert.equal(problem.hint, 'write it as ["one", "two"]')
  })
})

describe('rules for nodes', () => {
  const node = (text: string): string => sample({ node: text })
  check([
    [
      'a node has allocations',
      several({ a: '' }, { n: 'allocations: [a]', m: 'ports: []' }),
      'nodes.m.allocations',
      /found nothing/
    ],
    [
      'its list of allocations is not empty',
      several({ a: '' }, { n: 'allocations: [a]', m: 'allocations: []' }),
      'nodes.m.allocations',
      /an empty list/
    ],
    [
      'its allocations exist',
      several({ web: '' }, { n: 'allocations: [web, wed]' }),
      'nodes.n.allocations[1]',
      /did you mean 'web'/
    ],
    [
      'an allocation is on one node only',
      several({ a: '' }, { n: 'allocations: [a]', m: 'allocations: [a]' }),
      'nodes.m.allocations[0]',
      /on 'n' already/
    ],
    [
      'an allocation is on a node once',
      several({ a: '' }, { n: 'allocations: [a, a]' }),
      'nodes.n.allocations[1]',
      /already/
    ],
    ['redundancy is whole', node('redundancy: 1.5'), 'nodes.front.redundancy', /0 or more/],
    ['redundancy is not negative', node('redundancy: -1'), 'nodes.front.redundancy', /0 or more/],
    [
      'failure_recovery is one of three',
      node('failure_recovery: one_for_one'),
      'nodes.front.failure_recovery',
      /'stay_down', 'restart' or 'redeploy'/
    ],
    ['a peer is not empty', node('peer: ""'), 'nodes.front.peer', /empty text/],
    ['a peer is a peer id', node('peer: my-machine'), 'nodes.front.peer', /12D3KooW/],
    ['a DID is not a peer id', node('peer: did:key:z6Mk'), 'nodes.front.peer', /this is a DID/],
    ['ports are a list', node('ports: 80'), 'nodes.front.ports', /a list/],
    [
      'public must be there',
      node('ports: [{ private: 80, allocation: web }]'),
      'nodes.front.ports[0].public',
      /found nothing/
    ],
    [
      'public is no privileged port',
      node('ports: [{ public: 1024, private: 80, allocation: web }]'),
      'nodes.front.ports[0].public',
      /1025 to 65535/
    ],
    [
      'public is a port',
      node('ports: [{ public: 65536, private: 80, allocation: web }]'),
      'nodes.front.ports[0].public',
      /1025 to 65535/
    ],
    [
      'private is above zero',
      node('ports: [{ public: 0, private: 0, allocation: web }]'),
      'nodes.front.ports[0].private',
      /1 to 65535/
    ],
    [
      'private is whole',
      node('ports: [{ public: 0, private: 80.5, allocation: web }]'),
      'nodes.front.ports[0].private',
      /number 80.5/
    ],
    [
      'a port leads to a known allocation',
      node('ports: [{ public: 0, private: 80, allocation: wob }]'),
      'nodes.front.ports[0].allocation',
      /found 'wob'/
    ],
    [
      'a public port is used once',
      node(
        'ports: [{ public: 2000, private: 80, allocation: web }, { public: 2000, private: 81, allocation: web }]'
      ),
      'nodes.front.ports[1].public',
      /once/
    ],
    [
      'a location has a continent',
      node('location: { accept: [{ country: DE }] }'),
      'nodes.front.location.accept[0].continent',
      /'Europe'/
    ],
    [
      'a city needs its country',
      node('location: { reject: [{ continent: Europe, city: Bonn }] }'),
      'nodes.front.location.reject[0].country',
      /'city'/
    ],
    [
      'an AS number is not negative',
      node('location: { accept: [{ continent: Europe, asn: -1 }] }'),
      'nodes.front.location.accept[0].asn',
      /AS number/
    ]
  ])

  it('dynamic ports may be many', async () => {
    await parsed(node('ports: [{ public: 0, private: 80 }, { public: 0, private: 81 }]'))
  })
})

describe('rules for edges and supervisors', () => {
  const two = (root: string): string =>
    several({ a: '', b: '' }, { n: 'allocations: [a]', m: 'allocations: [b]' }, root)
  check([
    [
      'an edge joins two nodes',
      two('edge_constraints: [{ edges: [n] }]'),
      'edge_constraints[0].edges',
      /two node names/
    ],
    [
      'an edge joins known nodes',
      two('edge_constraints: [{ edges: [n, x] }]'),
      'edge_constraints[0].edges[1]',
      /found 'x'/
    ],
    [
      'an edge joins different nodes',
      two('edge_constraints: [{ edges: [n, n] }]'),
      'edge_constraints[0].edges[1]',
      /different/
    ],
    [
      'an edge in the other form joins known nodes',
      two('edges: [{ S: n, T: x }]'),
      'edges[0].T',
      /found 'x'/
    ],
    [
      'a round trip time is not negative',
      two('edge_constraints: [{ edges: [n, m], rtt: -1 }]'),
      'edge_constraints[0].rtt',
      /milliseconds/
    ],
    [
      'a supervision strategy is one of three',
      two('supervisor: { strategy: one_for_one }'),
      'supervisor.strategy',
      /did you mean/
    ],
    [
      'an empty strategy is refused',
      two('supervisor: { strategy: "" }'),
      'supervisor.strategy',
      /empty text/
    ],
    [
      'supervised allocations exist',
      two('supervisor: { allocations: [a, c] }'),
      'supervisor.allocations[1]',
      /found 'c'/
    ],
    [
      'so do those of children',
      two('supervisor: { children: [{ allocations: [c] }] }'),
      'supervisor.children[0].allocations[0]',
      /found 'c'/
    ]
  ])

  it('edges without nodes are refused', async () => {
    const errors = await errorsOf(several({ a: '' }, {}, 'edge_constraints: [{ edges: [n, m] }]'))
    assert.ok(errors.some(error => error.path === 'nodes'))
  })
})

describe('many mistakes at once', () => {
  it('all are found, in the order of the file', async () => {
    const errors = await errorsOf(
      sample({ allocation: 'dns_name: a_b', node: 'peer: ""', root: 'subnet: {}' }).replace('task', 'job')
    )
    assert.deepEqual(
      errors.map(error => error.path),
      ['allocations.web.type', 'allocations.web.dns_name', 'nodes.front.peer', 'subnet.join']
    )
    assert.deepEqual(
      errors.map(error => error.line),
      [4, 8, 12, 13]
    )
  })

  it('come with the warnings, which may be the cause', async () => {
    const text = sample({ resources: '{ cpus: { cores: 1 }, ram: { size: 1 }, disk: { size: 1 } }' })
    const result = await parseEnsembleFile(text, options())
    assert.ok(!result.ok)
    assert.deepEqual(
      result.error.map(({ severity, path, hint }) => [severity, path, hint]),
      [
        ['error', 'allocations.web.resources.cpu', undefined],
        ['warning', 'allocations.web.resources.cpus', "did you mean 'cpu'?"]
      ]
    )
  })

  it('any number of warnings does not hide an error', async () => {
    const noise = Array.from({ length: 500 }, (_, index) => `x${index}: 1`).join('\n')
    const errors = await errorsOf(`${noise}\n${sample({ node: 'peer: ""' })}`)
    assert.deepEqual(
      errors.map(error => error.path),
      ['nodes.front.peer']
    )
  })

  it('a file with thousands of errors yields a hundred', async () => {
    const allocations = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [`a${index}`, 'type2: x, healthcheck: {}'])
    )
    const errors = await errorsOf(several(allocations, { n: 'allocations: [a0]' }))
    assert.equal(errors.length, 100)
  })
})
