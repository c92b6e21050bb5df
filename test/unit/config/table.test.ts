import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type Config,
  configReference,
  GLOBAL_FLAGS,
  loadConfig,
  readEnvironment
} from '../../../src/config/index.ts'
import { KEYS, LEGACY_KEYS } from '../../../src/config/keys.ts'
import { nearest } from '../../../src/config/suggest.ts'
import { SOURCE_ROOT } from '../../utils/index.ts'

/** A value of each key that `Config` names: does not compile when the type names another, so the two cannot drift. */
const SHAPE: Config = {
  general: {
    env: '',
    user_dir: '',
    work_dir: '',
    data_dir: '',
    debug: false,
    host_city: '',
    host_country: '',
    host_continent: '',
    port_available_range_from: 1,
    port_available_range_to: 1
  },
  rest: { addr: '', port: 1 },
  p2p: { listen_address: [], bootstrap_peers: [], memory: 1, fd: 1 },
  did: { prism_resolver: '' },
  job: { allow_privileged_docker: false, require_contracts_for_deployment: false },
  executor: { wasm: { enabled: true }, docker: { enabled: true, socket: '' } },
  observability: {
    logging: { level: '', file: '', rotation: { max_size_mb: 1, max_backups: 1, max_age_days: 1 } }
  }
}

function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]]
  return Object.entries(value).flatMap(([name, item]) => leaves(item, path === '' ? name : `${path}.${name}`))
}

describe('the table of keys', () => {
  it('has no key, variable or flag twice, and no key that is also a section', () => {
    for (const names of [
      KEYS.map(row => row.key),
      KEYS.map(row => row.variable),
      KEYS.flatMap(row => row.flag ?? [])
    ]) {
      assert.equal(new Set(names).size, names.length)
    }
    for (const { key } of KEYS) assert.ok(!KEYS.some(other => other.key.startsWith(`${key}.`)), key)
  })

  it('gives every member of the Config type its type', () => {
    const { config } = loadConfig({ env: readEnvironment({}), cwd: '/', homeDirectory: '/h' })
    const actual = new Map(leaves(config))
    for (const [path, value] of leaves(SHAPE)) {
      assert.ok(actual.has(path), path)
      assert.equal(typeof actual.get(path), typeof value, path)
      assert.equal(Array.isArray(actual.get(path)), Array.isArray(value), path)
    }
  })

  it('names the variable after the key', () => {
    assert.equal(
      KEYS.find(row => row.key === 'observability.logging.rotation.max_size_mb')?.variable,
      'DMS_OBSERVABILITY_LOGGING_ROTATION_MAX_SIZE_MB'
    )
  })

  it('has a target for every key of early releases', () => {
    assert.equal(LEGACY_KEYS.size, 11)
    for (const { key } of LEGACY_KEYS.values())
      assert.ok(
        KEYS.some(row => row.key === key),
        key
      )
  })

  it('gives the global flags of the reference', () => {
    assert.deepEqual(GLOBAL_FLAGS.map(flag => flag.name).sort(), [
      'config',
      'data-dir',
      'debug',
      'profiler-addr',
      'profiler-enabled',
      'profiler-port',
      'rest-addr',
      'rest-port',
      'user-dir',
      'work-dir'
    ])
  })

  it('is what docs/config.md says', () => {
    assert.equal(
      readFileSync(join(SOURCE_ROOT, 'docs/config.md'), 'utf8'),
      configReference(),
      'run `npm run docs`'
    )
  })
})

describe('the suggestion for a wrong name', () => {
  it('is the nearest one, or none', () => {
    const names = ['rest.port', 'rest.addr', 'general.user_dir']
    assert.equal(nearest('rest.prot', names), 'rest.port')
    assert.equal(nearest('general.userdir', names), 'general.user_dir')
    assert.equal(nearest('user_dir', names), 'general.user_dir')
    assert.equal(nearest('banana', names), undefined)
    assert.equal(nearest('x'.repeat(100_000), names), undefined)
  })
})
