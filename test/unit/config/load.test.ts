import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import {
  type ConfigError,
  type ConfigFiles,
  type ConfigFlags,
  getConfigValue,
  type LoadedConfig,
  loadConfig,
  readEnvironment
} from '../../../src/config/index.ts'
import { temporaryDirectory } from '../../utils/index.ts'

/** Files in memory; keys are absolute paths. */
function memoryFiles(files: Record<string, string>): ConfigFiles {
  return {
    read: path => files[path],
    write: () => assert.fail('loading must not write')
  }
}

interface Given {
  files?: Record<string, unknown>
  env?: Record<string, string>
  flags?: ConfigFlags
}

const IN_HOME = '/home/me/.nunet/dms_config.json'

function load({ files = {}, env = {}, flags = {} }: Given = {}): LoadedConfig {
  const texts = Object.entries(files).map(([path, value]) => [
    path,
    typeof value === 'string' ? value : JSON.stringify(value)
  ])
  return loadConfig({
    env: readEnvironment(env),
    cwd: '/work',
    homeDirectory: '/home/me',
    flags,
    files: memoryFiles(Object.fromEntries(texts))
  })
}

function failure(given: Given): ConfigError {
  try {
    load(given)
  } catch (error) {
    return error as ConfigError // the assertions that follow check its code
  }
  return assert.fail('the configuration was accepted')
}

describe('the defaults', () => {
  it('are those of the reference', () => {
    const { config, path } = load()
    assert.equal(path, undefined)
    assert.deepEqual(config.rest, { addr: '127.0.0.1', port: 9999 })
    assert.equal(config.general.user_dir, '/home/me/.nunet')
    assert.equal(config.general.work_dir, '/home/me/nunet')
    assert.equal(config.general.data_dir, '/home/me/nunet/data')
    assert.equal(config.observability.logging.file, '/home/me/nunet/logs/nunet-dms-logs.jsonl')
    assert.deepEqual(config.p2p.listen_address, ['/ip4/0.0.0.0/tcp/9000', '/ip4/0.0.0.0/udp/9000/quic-v1'])
    assert.equal(config.p2p.bootstrap_peers.length, 3)
    assert.deepEqual(config.observability.logging.rotation, {
      max_size_mb: 100,
      max_backups: 3,
      max_age_days: 28
    })
    assert.equal(config.job.allow_privileged_docker, false)
    assert.equal(config.executor.wasm.enabled, true)
  })

  it('of directories follow the directory above them', () => {
    const { config } = load({ flags: { 'work-dir': '/data/n1' } })
    assert.equal(config.general.data_dir, '/data/n1/data')
    assert.equal(config.observability.logging.file, '/data/n1/logs/nunet-dms-logs.jsonl')
  })
})

describe('the order of sources', () => {
  it('is flags, environment, file, defaults', () => {
    const files = { [IN_HOME]: { rest: { port: 1, addr: '0.0.0.1' }, p2p: { fd: 7 } } }
    const env = { DMS_REST_PORT: '2', DMS_REST_ADDR: '0.0.0.2' }
    const { config, origins } = load({ files, env, flags: { 'rest-port': '3' } })
    assert.deepEqual(
      [config.rest.port, config.rest.addr, config.p2p.fd, config.p2p.memory],
      [3, '0.0.0.2', 7, 1024]
    )
    assert.deepEqual(
      ['rest.port', 'rest.addr', 'p2p.fd', 'p2p.memory'].map(key => origins.get(key)),
      ['flag', 'environment', 'file', 'default']
    )
  })

  it('of files is: working directory, ~/.nunet, configuration home, /etc; the first one alone counts', () => {
    const places = ['/work', '/home/me/.nunet', '/xdg/nunet', '/etc/nunet'].map(
      directory => `${directory}/dms_config.json`
    )
    const env = { XDG_CONFIG_HOME: '/xdg' }
    assert.deepEqual(load({ env }).searched, places)
    const all = places.map(
      (path, index) =>
        [path, { rest: { port: index + 1 }, ...(index > 0 ? { p2p: { fd: 5 } } : {}) }] as const
    )
    for (let skipped = 0; skipped < all.length; skipped++) {
      const { config, path } = load({ env, files: Object.fromEntries(all.slice(skipped)) })
      assert.equal(path, places[skipped])
      assert.equal(config.rest.port, skipped + 1)
      assert.equal(config.p2p.fd, skipped === 0 ? 512 : 5)
    }
  })

  it('uses ~/.config without XDG_CONFIG_HOME', () => {
    assert.equal(load().searched[2], '/home/me/.config/nunet/dms_config.json')
  })

  it('is replaced by --config, which must exist', () => {
    const files = { [IN_HOME]: { rest: { port: 1 } }, '/work/other.json': { rest: { port: 2 } } }
    assert.equal(load({ files, flags: { config: 'other.json' } }).config.rest.port, 2)
    const error = failure({ files, flags: { config: '/none.json' } })
    assert.equal(error.code, 'CONFIG_FILE')
    assert.match(error.message, /'\/none\.json'/)
  })

  it('reads real files', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('.nunet', 'dms_config.json')
    await mkdir(dirname(path))
    await writeFile(path, '\ufeff{"REST": {"Port": 4}}')
    const env = readEnvironment({})
    const loaded = loadConfig({ env, cwd: directory.path, homeDirectory: directory.path })
    assert.equal(loaded.config.rest.port, 4)
    assert.equal(loaded.path, path)
  })
})

describe('keys', () => {
  it('are read without regard to case, nested or dotted', () => {
    const files = { [IN_HOME]: { General: { WORK_DIR: '/w' }, 'rest.PORT': 5 } }
    const { config } = load({ files })
    assert.deepEqual([config.general.work_dir, config.rest.port], ['/w', 5])
  })

  for (const [wrong, suggestion] of [
    [{ rest: { prot: 1 } }, 'rest.port'],
    [{ general: { userdir: 'x' } }, 'general.user_dir'],
    [{ p2p: { bootstrap_peer: [] } }, 'p2p.bootstrap_peers'],
    [{ rset: { port: 1 } }, 'rest'],
    [{ logging: { max_age_days: 1 } }, 'observability.logging'],
    [{ banana: 1 }, undefined]
  ] as const) {
    it(`that are unknown are an error: ${JSON.stringify(wrong)}`, () => {
      const error = failure({ files: { [IN_HOME]: wrong } })
      assert.equal(error.code, 'CONFIG_KEY_UNKNOWN')
      assert.match(error.message, /\/home\/me\/\.nunet\/dms_config\.json/)
      assert.equal(error.details['suggestion'], suggestion)
      if (suggestion !== undefined) assert.match(error.message, new RegExp(`did you mean '${suggestion}'`))
    })
  }

  it('cannot reach the prototype of anything', () => {
    for (const text of [
      '{"__proto__": {"x": 1}}',
      '{"constructor": {"prototype": {"x": 1}}}',
      '{"rest": {"__proto__": 1}}'
    ]) {
      assert.equal(failure({ files: { [IN_HOME]: text } }).code, 'CONFIG_KEY_UNKNOWN', text)
    }
    assert.equal(Object.hasOwn(Object.prototype, 'x'), false)
  })

  it('of later releases are accepted and kept', () => {
    const files = {
      [IN_HOME]: { job: { containerd: { namespace: 'n' } }, general: { providers: [{ name: 'a' }] } }
    }
    const loaded = load({ files })
    assert.equal(getConfigValue(loaded, 'job.containerd.namespace'), 'n')
    assert.deepEqual(getConfigValue(loaded, 'general.providers'), [{ name: 'a' }])
  })
})

describe('values', () => {
  for (const [section, expected] of [
    [{ rest: { port: '9999' } }, /rest\.port .* is "9999", expected a whole number from 0 to 65535/],
    [{ rest: { port: 70_000 } }, /70000, expected a whole number from 0 to 65535/],
    [{ rest: { port: 1.5 } }, /1\.5, expected a whole number/],
    [{ rest: { addr: 5 } }, /expected a text/],
    [{ general: { debug: 'yes' } }, /expected true or false/],
    [{ p2p: { bootstrap_peers: 'a' } }, /expected a list of texts/],
    [{ p2p: { bootstrap_peers: [1] } }, /expected a list of texts/],
    [{ observability: { logging: { level: 'loud' } } }, /expected one of debug, info/]
  ] as const) {
    it(`of a wrong type are an error that says what was expected: ${JSON.stringify(section)}`, () => {
      const error = failure({ files: { [IN_HOME]: section } })
      assert.equal(error.code, 'CONFIG_VALUE_INVALID')
      assert.match(error.message, expected)
      assert.match(error.message, /dms_config\.json/)
    })
  }

  it('of the environment and of flags name their source when they are wrong', () => {
    assert.match(
      failure({ env: { DMS_REST_PORT: 'abc' } }).message,
      /environment variable 'DMS_REST_PORT' is "abc"/
    )
    assert.match(failure({ flags: { 'rest-port': '-1' } }).message, /flag '--rest-port' is -1/)
  })

  it('that are secret are not shown when they are wrong', () => {
    assert.match(failure({ files: { [IN_HOME]: { apm: { api_key: 123_456 } } } }).message, /\[redacted\]/)
  })

  it('may be the empty list, by file and by environment', () => {
    assert.deepEqual(
      load({ files: { [IN_HOME]: { p2p: { bootstrap_peers: [] } } } }).config.p2p.bootstrap_peers,
      []
    )
    assert.deepEqual(load({ env: { DMS_P2P_BOOTSTRAP_PEERS: '' } }).config.p2p.bootstrap_peers, [])
    assert.deepEqual(load({ env: { DMS_P2P_BOOTSTRAP_PEERS: '[]' } }).config.p2p.bootstrap_peers, [])
  })

  it('of lists are separated by commas in the environment', () => {
    const { config } = load({ env: { DMS_P2P_LISTEN_ADDRESS: '/ip4/127.0.0.1/tcp/0, /ip4/127.0.0.1/tcp/1' } })
    assert.deepEqual(config.p2p.listen_address, ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/1'])
  })

  it('that are empty in the environment count as not set', () => {
    assert.equal(load({ env: { DMS_REST_PORT: '', DMS_REST_ADDR: '' } }).config.rest.port, 9999)
  })

  it('of booleans are Go literals as text', () => {
    for (const [text, value] of Object.entries({
      '1': true,
      T: true,
      true: true,
      '0': false,
      False: false
    })) {
      assert.equal(load({ env: { DMS_GENERAL_DEBUG: text } }).config.general.debug, value, text)
    }
    assert.equal(failure({ env: { DMS_GENERAL_DEBUG: 'yes' } }).code, 'CONFIG_VALUE_INVALID')
  })

  it('of paths start at the home or the working directory', () => {
    const paths = (text: string): string => load({ flags: { 'user-dir': text } }).config.general.user_dir
    assert.deepEqual(['~', '~/x', './x', '/x/../y'].map(paths), ['/home/me', '/home/me/x', '/work/x', '/y'])
  })

  it('must fit together', () => {
    assert.match(
      failure({ env: { DMS_GENERAL_PORT_AVAILABLE_RANGE_TO: '100' } }).message,
      /port range from 16384 to 100 is empty/
    )
  })

  it('that are null count as not set', () => {
    assert.equal(load({ files: { [IN_HOME]: { rest: { port: null } } } }).config.rest.port, 9999)
  })
})

describe('a file that is not JSON', () => {
  for (const text of ['{"rest": {"port": 1,}}', '', 'nonsense', '[]', '"x"', '// comment\n{}']) {
    it(`is refused on one line: ${JSON.stringify(text)}`, () => {
      const error = failure({ files: { [IN_HOME]: text } })
      assert.equal(error.code, 'CONFIG_SYNTAX')
      assert.doesNotMatch(error.message, /\n/)
      assert.match(error.message, /'\/home\/me\/\.nunet\/dms_config\.json'/)
    })
  }

  it('is refused when it is huge or deep', () => {
    assert.equal(
      failure({ files: { [IN_HOME]: `{"general":{"env":"${'x'.repeat(2 ** 20)}"}}` } }).code,
      'CONFIG_SYNTAX'
    )
    const deep = `${'{"general":'.repeat(5000)}1${'}'.repeat(5000)}`
    assert.match(failure({ files: { [IN_HOME]: deep } }).code, /^CONFIG_/)
  })
})

describe('keys of early releases', () => {
  const flat = {
    log_level: 'DEBUG',
    log_file: '/l',
    max_size: 1,
    max_backups: 2,
    max_age: 3,
    elasticsearch_url: 'http://e',
    elasticsearch_index: 'i',
    flush_interval: 9,
    elasticsearch_enabled: true,
    elasticsearch_api_key: 'k',
    insecure_skip_verify: true
  }

  it('are understood', () => {
    const loaded = load({ files: { [IN_HOME]: { observability: flat } } })
    assert.deepEqual(loaded.config.observability.logging, {
      level: 'DEBUG',
      file: '/l',
      rotation: { max_size_mb: 1, max_backups: 2, max_age_days: 3 }
    })
    assert.equal(getConfigValue(loaded, 'observability.elastic.url'), 'http://e')
    assert.equal(getConfigValue(loaded, 'observability.elastic.flush_interval'), 9)
    assert.equal(getConfigValue(loaded, 'observability.elastic.enabled'), true)
    assert.equal(loaded.secrets.get('observability.elastic.api_key')?.reveal(), 'k')
    assert.equal(loaded.legacyKeys.length, 11)
  })

  it('yield to new logging keys and win over new delivery keys', () => {
    const observability = {
      ...flat,
      logging: { level: 'ERROR' },
      elastic: { url: 'http://new', enabled: false }
    }
    const loaded = load({ files: { [IN_HOME]: { observability } } })
    assert.equal(loaded.config.observability.logging.level, 'ERROR')
    assert.equal(getConfigValue(loaded, 'observability.elastic.url'), 'http://e')
    assert.equal(getConfigValue(loaded, 'observability.elastic.enabled'), false)
  })

  it('are checked like new ones, and understood from the environment', () => {
    assert.equal(
      failure({ files: { [IN_HOME]: { observability: { max_size: 'big' } } } }).code,
      'CONFIG_VALUE_INVALID'
    )
    assert.equal(
      load({ env: { DMS_OBSERVABILITY_LOG_LEVEL: 'warn' } }).config.observability.logging.level,
      'warn'
    )
  })
})

describe('reading a value', () => {
  it('takes a key of any case, a section, a legacy key, or nothing', () => {
    const loaded = load()
    assert.equal(getConfigValue(loaded, 'Rest.PORT'), 9999)
    assert.deepEqual(getConfigValue(loaded, 'rest'), { addr: '127.0.0.1', port: 9999 })
    assert.equal(getConfigValue(loaded, 'observability.log_level'), 'INFO')
    assert.equal(getConfigValue(loaded), loaded.config)
  })

  it('refuses an unknown key with the words of the reference', () => {
    assert.throws(() => getConfigValue(load(), 'rest.prot'), {
      code: 'CONFIG_KEY_UNKNOWN',
      message: `key "rest.prot" not found, did you mean 'rest.port'?`
    })
    assert.throws(() => getConfigValue(load(), 'zzz'), { message: 'key "zzz" not found' })
    assert.throws(() => getConfigValue(load(), 'toString'), { code: 'CONFIG_KEY_UNKNOWN' })
  })
})

describe('secrets', () => {
  const env = { DMS_PASSPHRASE: 'open sesame', DMS_APM_API_KEY: 'k-1', DMS_REST_PORT: '5', PATH: '/bin' }

  it('are not in the configuration and print as [redacted]', () => {
    const loaded = load({ env, files: { [IN_HOME]: { coinmarketcap: { api_key: 'k-2' } } } })
    assert.equal(loaded.secrets.get('apm.api_key')?.reveal(), 'k-1')
    assert.equal(loaded.secrets.get('coinmarketcap.api_key')?.reveal(), 'k-2')
    assert.equal(getConfigValue(loaded, 'apm.api_key'), '[redacted]')
    assert.equal(getConfigValue(loaded, 'apm.secret_token'), '')
    const printed = [
      inspect(loaded, { depth: 9 }),
      JSON.stringify(loaded),
      JSON.stringify([...loaded.secrets]),
      `${loaded.secrets.get('apm.api_key')}`
    ]
    for (const text of printed) assert.doesNotMatch(text, /k-1|k-2/)
  })

  it('of the environment are kept from ensemble files and from print', () => {
    const environment = readEnvironment(env)
    assert.equal(environment.passphrase?.reveal(), 'open sesame')
    assert.deepEqual(environment.variables, { DMS_REST_PORT: '5', PATH: '/bin' })
    assert.doesNotMatch(inspect(environment, { depth: 9, showHidden: true }), /sesame|k-1/)
    assert.doesNotMatch(JSON.stringify(environment), /sesame|k-1/)
  })
})

describe('the environment', () => {
  it('is read into named facts', () => {
    const environment = readEnvironment({
      EDITOR: 'vi',
      HOME: '/h',
      XDG_CONFIG_HOME: 'relative',
      NO_COLOR: '1',
      CI: 'true',
      FORCE_COLOR: '0'
    })
    assert.deepEqual(
      [
        environment.editor,
        environment.homeDirectory,
        environment.configHome,
        environment.noColour,
        environment.ci,
        environment.forceColour
      ],
      ['vi', '/h', undefined, true, true, false]
    )
    assert.equal(readEnvironment({ DMS_PASSPHRASE: '' }).passphrase, undefined)
    assert.equal(readEnvironment({ TERM: 'dumb' }).noColour, true)
    assert.equal(readEnvironment({ XDG_RUNTIME_DIR: '/run/user/7' }).runtimeDirectory, '/run/user/7')
    assert.equal(readEnvironment({ XDG_RUNTIME_DIR: 'run' }).runtimeDirectory, undefined)
  })

  it('with a misspelt variable is a warning, not an error', () => {
    const { warnings } = load({ env: { DMS_REST_PROT: '1', DMS_PASSPHRASE: 'x', DMS_ZZZZZZZZZZZZZZ: '1' } })
    assert.deepEqual(warnings, [
      "environment variable 'DMS_REST_PROT' is not known, did you mean 'DMS_REST_PORT'?",
      "environment variable 'DMS_ZZZZZZZZZZZZZZ' is not known"
    ])
  })
})
