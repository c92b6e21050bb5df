import assert from 'node:assert/strict'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import {
  type ConfigSources,
  createConfigFile,
  loadConfig,
  readEnvironment,
  writeConfigValue
} from '../../../src/config/index.ts'
import { VIRTUAL_EPOCH_MS, VirtualClock } from '../../../src/utils/index.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../utils/index.ts'

const deps = { clock: new VirtualClock() }

function sourcesIn(directory: TemporaryDirectory, env: Record<string, string> = {}): ConfigSources {
  return { env: readEnvironment(env), cwd: directory.path, homeDirectory: directory.join('home') }
}

async function readJson(path: string): Promise<Record<string, Record<string, unknown>>> {
  return JSON.parse(await readFile(path, 'utf8'))
}

describe('setting a value', () => {
  it('makes a private file with the complete configuration in the working directory when there is none', async () => {
    await using directory = await temporaryDirectory()
    const result = writeConfigValue(deps, sourcesIn(directory), 'rest.port', '10000')
    assert.deepEqual(result, { path: directory.join('dms_config.json'), created: true })
    assert.equal((await stat(result.path)).mode & 0o777, 0o600)
    const written = await readJson(result.path)
    assert.deepEqual(written['rest'], { addr: '127.0.0.1', port: 10_000 })
    assert.equal(written['p2p']?.['memory'], 1024)
    assert.deepEqual(await readdir(directory.path), ['dms_config.json'])
  })

  it('keeps the rest of the file and its mode', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms_config.json')
    await writeFile(
      path,
      JSON.stringify({
        rest: { addr: '0.0.0.0' },
        apm: { api_key: 'k' },
        general: { providers: [{ name: 'x' }] }
      })
    )
    await chmod(path, 0o640)
    assert.equal(writeConfigValue(deps, sourcesIn(directory), 'REST.Port', '1').created, false)
    const written = await readJson(path)
    assert.deepEqual(written['rest'], { addr: '0.0.0.0', port: 1 })
    assert.equal(written['apm']?.['api_key'], 'k')
    assert.deepEqual(written['general']?.['providers'], [{ name: 'x' }])
    assert.equal((await stat(path)).mode & 0o777, 0o640)
  })

  it('does not write what came from the environment or from flags', async () => {
    await using directory = await temporaryDirectory()
    const sources = {
      ...sourcesIn(directory, { DMS_REST_PORT: '7', DMS_APM_API_KEY: 'k' }),
      flags: { 'rest-addr': '1.1.1.1' }
    }
    const { path } = writeConfigValue(deps, sources, 'p2p.fd', '99')
    const written = await readJson(path)
    assert.deepEqual(written['rest'], { addr: '127.0.0.1', port: 9999 })
    assert.equal(written['apm']?.['api_key'], '')
    assert.equal(written['p2p']?.['fd'], 99)
  })

  it('takes lists, booleans and numbers that look like texts', async () => {
    await using directory = await temporaryDirectory()
    const sources = sourcesIn(directory)
    writeConfigValue(deps, sources, 'p2p.bootstrap_peers', '')
    writeConfigValue(deps, sources, 'p2p.listen_address', '["/ip4/127.0.0.1/tcp/0"]')
    writeConfigValue(deps, sources, 'general.debug', '1')
    writeConfigValue(deps, sources, 'general.host_city', '12345')
    const { config } = loadConfig(sources)
    assert.deepEqual(config.p2p.bootstrap_peers, [])
    assert.deepEqual(config.p2p.listen_address, ['/ip4/127.0.0.1/tcp/0'])
    assert.equal(config.general.debug, true)
    assert.equal(config.general.host_city, '12345')
  })

  it('changes nothing when the key or the value is wrong', async () => {
    await using directory = await temporaryDirectory()
    const sources = sourcesIn(directory)
    assert.throws(() => writeConfigValue(deps, sources, 'rest.prot', '1'), { code: 'CONFIG_KEY_UNKNOWN' })
    assert.throws(() => writeConfigValue(deps, sources, 'rest.port', 'abc'), { code: 'CONFIG_VALUE_INVALID' })
    assert.throws(() => writeConfigValue(deps, sources, 'rest', '1'), { code: 'CONFIG_KEY_UNKNOWN' })
    assert.deepEqual(await readdir(directory.path), [])
  })

  it('brings a file of an early release up to date and keeps a copy', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms_config.json')
    const old = JSON.stringify({ observability: { log_level: 'DEBUG', max_size: 5 } })
    await writeFile(path, old)
    const result = writeConfigValue(deps, sourcesIn(directory), 'observability.max_age', '2')
    assert.equal(result.backup, `${path}.bk.${VIRTUAL_EPOCH_MS / 1000}`)
    assert.equal(await readFile(result.backup, 'utf8'), old)
    const { config, legacyKeys } = loadConfig(sourcesIn(directory))
    assert.deepEqual(legacyKeys, [])
    assert.equal(config.observability.logging.level, 'DEBUG')
    assert.deepEqual(config.observability.logging.rotation, {
      max_size_mb: 5,
      max_backups: 3,
      max_age_days: 2
    })
  })

  it('refuses to rewrite a file it does not understand', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms_config.json')
    await writeFile(path, '{"rest": {"prot": 1}}')
    assert.throws(() => writeConfigValue(deps, sourcesIn(directory), 'rest.port', '1'), {
      code: 'CONFIG_KEY_UNKNOWN'
    })
    assert.equal(await readFile(path, 'utf8'), '{"rest": {"prot": 1}}')
  })

  it('says why a file cannot be written', async () => {
    await using directory = await temporaryDirectory()
    const sources = { ...sourcesIn(directory), cwd: '/proc/self' }
    assert.throws(() => writeConfigValue(deps, sources, 'rest.port', '1'), {
      code: 'CONFIG_FILE',
      message: /cannot write/
    })
  })
})

describe('making a file', () => {
  it('happens only when none is in use', async () => {
    await using directory = await temporaryDirectory()
    const sources = sourcesIn(directory)
    assert.deepEqual(createConfigFile(deps, sources), {
      path: directory.join('dms_config.json'),
      created: true
    })
    assert.deepEqual(createConfigFile(deps, sources), {
      path: directory.join('dms_config.json'),
      created: false
    })
    assert.equal(loadConfig(sources).config.rest.port, 9999)
  })
})
