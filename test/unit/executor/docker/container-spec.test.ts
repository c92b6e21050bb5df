import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerName, containerSpec } from '../../../../src/executor/docker/container-spec.ts'
import { readDockerParams } from '../../../../src/executor/docker/params.ts'
import { provisionArchive, provisionFailure } from '../../../../src/executor/docker/provision.ts'
import { packTar } from '../../../../src/executor/docker/tar.ts'
import type { ExecutionRequest } from '../../../../src/executor/index.ts'
import { MIB, utf8ToBytes } from '../../../../src/utils/index.ts'

const request = (more: Partial<ExecutionRequest> = {}): ExecutionRequest => ({
  executionId: 'x1',
  jobId: 'e_n.a',
  engine: { type: 'docker', params: {} },
  resources: { cpu: { cores: 1.5 }, ram: { size: 100 * MIB }, disk: { size: 1 } },
  resultsDirectory: '/r',
  ports: [],
  mounts: [],
  provisionScripts: [],
  hosts: {},
  allowPrivileged: false,
  ...more
})
const specOf = (
  params: Record<string, unknown>,
  more?: Partial<ExecutionRequest>,
  image?: Parameters<typeof containerSpec>[3]
) =>
  JSON.parse(
    JSON.stringify(
      containerSpec(request(more), readDockerParams({ image: 'app', ...params }), 'owner', image)
    )
  )

test('limits come from the resources: cores, memory without swap, processes', () => {
  const { HostConfig: host } = specOf({})
  assert.equal(host.NanoCpus, 1_500_000_000)
  assert.equal(host.Memory, 100 * MIB)
  assert.equal(host.MemorySwap, host.Memory)
  assert.equal(host.PidsLimit, 1024)
  assert.equal(host.Init, true)
  assert.deepEqual(host.SecurityOpt, ['no-new-privileges:true'])
  assert.deepEqual(host.RestartPolicy, { Name: 'no' })
  assert.equal(host.LogConfig.Type, 'json-file')
  assert.ok(host.LogConfig.Config['max-size'])
})

test('resources of zero mean the least there is, never no limit', () => {
  const { HostConfig: host } = specOf(
    {},
    { resources: { cpu: { cores: 0 }, ram: { size: 0 }, disk: { size: 0 } } }
  )
  assert.equal(host.NanoCpus, 10_000_000)
  assert.equal(host.Memory, 6 * MIB)
})

test('labels name the owner, the job and the execution', () => {
  assert.deepEqual(specOf({}).Labels, {
    'nunet-executor': 'owner',
    'nunet-jobID': 'owner_e_n.a',
    'nunet-executionID': 'owner_e_n.a_x1',
    'nunet.execution-id': 'x1'
  })
})

test('args come after cmd, and neither replaces the entrypoint of the image', () => {
  const spec = specOf({ cmd: ['a'], args: ['b', 'c'] })
  assert.deepEqual(spec.Cmd, ['a', 'b', 'c'])
  assert.equal('Entrypoint' in spec, false)
  assert.deepEqual(specOf({ entrypoint: ['e'] }).Entrypoint, ['e'])
})

test('an environment may be a list or a map', () => {
  assert.deepEqual(specOf({ environment: ['A=1', 'B='] }).Env, ['A=1', 'B='])
  assert.deepEqual(specOf({ environment: { A: 1, B: true } }).Env, ['A=1', 'B=true'])
})

test('ports are published over TCP on their host address, several for one port too', () => {
  const ports = [
    { hostIp: '127.0.0.1', hostPort: 8080, workloadPort: 80 },
    { hostIp: '10.0.0.1', hostPort: 8081, workloadPort: 80 }
  ]
  const spec = specOf({}, { ports })
  assert.deepEqual(spec.ExposedPorts, { '80/tcp': {} })
  assert.deepEqual(spec.HostConfig.PortBindings, {
    '80/tcp': [
      { HostIp: '127.0.0.1', HostPort: '8080' },
      { HostIp: '10.0.0.1', HostPort: '8081' }
    ]
  })
})

test('provision scripts wrap the command that the image would have run', () => {
  const provisionScripts = [{ name: 'a', content: new Uint8Array() }]
  const image = { Id: 'i', Config: { Entrypoint: ['/entry'], Cmd: ['default'] } }
  const wrapped = (params: Record<string, unknown>) => specOf(params, { provisionScripts }, image)
  assert.deepEqual(wrapped({}).Entrypoint, ['/bin/sh', '/.nunet-provision/run.sh'])
  assert.deepEqual(wrapped({}).Cmd, ['/entry', 'default'])
  assert.deepEqual(wrapped({ cmd: ['mine'] }).Cmd, ['/entry', 'mine'])
  assert.deepEqual(wrapped({ entrypoint: ['/own'] }).Cmd, ['/own'])
  assert.throws(() => specOf({}, { provisionScripts }, { Id: 'i', Config: null }), {
    code: 'EXECUTOR_START_FAILED'
  })
})

test('GPUs are asked for by UUID, and makers we cannot pass through are refused', () => {
  const gpu = { index: 3, vendor: 'NVIDIA', pci_address: '', model: '', vram: 1, uuid: 'GPU-1' } as const
  const resources = { cpu: { cores: 1 }, ram: { size: 1 }, disk: { size: 1 } }
  assert.deepEqual(
    specOf({}, { resources: { ...resources, gpus: [gpu] } }).HostConfig.DeviceRequests[0].DeviceIDs,
    ['GPU-1']
  )
  const intel = { ...gpu, vendor: 'Intel' } as const
  assert.throws(() => specOf({}, { resources: { ...resources, gpus: [intel] } }), {
    code: 'EXECUTOR_UNSUPPORTED'
  })
})

test('container names are readable where they can be, and differ where letters had to change', () => {
  const name = (jobId: string, owner = 'o') => containerName(owner, { jobId, executionId: 'x' })
  assert.equal(name('e_n.a'), 'o_e_n.a_x')
  assert.match(name('e/n'), /^o_e-n_x-[0-9a-f]{12}$/)
  assert.notEqual(name('e/n'), name('e:n'))
  assert.ok(name('j'.repeat(500)).length <= 128)
  assert.notEqual(name(`${'j'.repeat(500)}a`), name(`${'j'.repeat(500)}b`))
  for (const odd of ['../..', 'ü', '', ' ']) assert.match(name(odd, odd), /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/)
})

test('the failure of a provision script is read from its archive, and nonsense is none', () => {
  const archive = (text: string) => packTar([{ path: 'failed', mode: 0o644, content: utf8ToBytes(text) }])
  assert.equal(provisionFailure(archive('3 set up.sh\n')), "provision script 'set up.sh' failed with code 3")
  assert.equal(provisionFailure(archive('nonsense')), undefined)
  assert.equal(provisionFailure(archive('99999 x')), undefined)
  assert.equal(provisionFailure(new Uint8Array()), undefined)
})

test('names of provision scripts cannot break out of the runner', () => {
  const archive = Buffer.from(
    provisionArchive([{ name: "a'; touch /owned; '", content: new Uint8Array() }])
  ).toString()
  assert.match(archive, /run 0 'a'\\''; touch \/owned; '\\'''/)
})
