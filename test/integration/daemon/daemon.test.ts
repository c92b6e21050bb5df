/** The whole daemon in this process, on loopback, in a directory of its own: starts that fail halfway leave nothing. */

import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Config, loadConfig } from '../../../src/config/index.ts'
import { type ReadyInfo, runDaemon } from '../../../src/daemon/index.ts'
import { systemClock as clock, createSystemFiles, systemRandom as random } from '../../../src/utils/index.ts'
import { temporaryDirectory } from '../../utils/index.ts'

const files = createSystemFiles({ clock, random })

async function configOf(directory: string, flags: Record<string, string> = {}): Promise<Config> {
  const { readEnvironment } = await import('../../../src/config/index.ts')
  const { config } = loadConfig({
    env: readEnvironment(),
    cwd: directory,
    homeDirectory: directory,
    flags: {
      'rest-port': '0',
      'user-dir': directory,
      'work-dir': join(directory, 'work'),
      'data-dir': join(directory, 'data'),
      ...flags
    }
  })
  return {
    ...config,
    p2p: { ...config.p2p, listen_address: ['/ip4/127.0.0.1/tcp/0'], bootstrap_peers: [] },
    executor: { wasm: { enabled: true }, docker: { enabled: false, socket: '' } },
    observability: {
      ...config.observability,
      logging: { ...config.observability.logging, file: join(directory, 'daemon.log') }
    }
  }
}

/** Runs a daemon until it is ready, then stops it. */
async function startAndStop(config: Config): Promise<ReadyInfo> {
  const stop = new AbortController()
  const ready = Promise.withResolvers<ReadyInfo>()
  const options = { config, context: 'dms', passphrase: 'secret', signal: stop.signal }
  const running = runDaemon({ ...options, onReady: ready.resolve })
  running.catch(ready.reject)
  const info = await ready.promise
  stop.abort()
  await running
  return info
}

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { server, port: address.port }
}

function pidFile(directory: string): Promise<Uint8Array | undefined> {
  return files.read(join(directory, 'run', 'dms.pid'))
}

describe('a daemon', () => {
  it('makes what is missing, stops when told, and starts again as the same node', async () => {
    await using directory = await temporaryDirectory()
    const config = await configOf(directory.path)
    const first = await startAndStop(config)
    assert.equal(await pidFile(directory.path), undefined)
    const second = await startAndStop(config)
    assert.equal(second.peerId, first.peerId)
  })

  it('whose REST port is taken undoes its start, so that the next one succeeds', async () => {
    await using directory = await temporaryDirectory()
    const { server, port } = await listening()
    const listeners = process.listenerCount('SIGUSR1')
    try {
      const taken = await configOf(directory.path, { 'rest-port': String(port) })
      await assert.rejects(
        startAndStop(taken),
        error => error instanceof Error && error.message.includes(String(port))
      )
      assert.equal(await pidFile(directory.path), undefined)
      assert.equal(process.listenerCount('SIGUSR1'), listeners)
    } finally {
      server.close()
    }
    // The database, the network's port and the pid file are free again.
    await startAndStop(await configOf(directory.path))
  })

  it('that is told to stop while its key is derived stops without a trace', async () => {
    await using directory = await temporaryDirectory()
    const config = await configOf(directory.path)
    await startAndStop(config)
    const stop = new AbortController()
    const running = runDaemon({ config, context: 'dms', passphrase: 'secret', signal: stop.signal })
    await clock.sleep(30)
    stop.abort(new Error('told to stop'))
    await assert.rejects(running, /told to stop/)
    assert.equal(await pidFile(directory.path), undefined)
  })

  it('with a wrong passphrase says so and leaves no pid file', async () => {
    await using directory = await temporaryDirectory()
    const config = await configOf(directory.path)
    await startAndStop(config)
    const { signal } = new AbortController()
    await assert.rejects(runDaemon({ config, context: 'dms', passphrase: 'wrong', signal }), {
      code: 'KEY_PASSPHRASE_WRONG'
    })
    assert.equal(await pidFile(directory.path), undefined)
  })

  it('does not start on the database of another one', async () => {
    await using directory = await temporaryDirectory()
    const stop = new AbortController()
    const ready = Promise.withResolvers<ReadyInfo>()
    const config = await configOf(directory.path)
    const options = { config, passphrase: 'secret', signal: stop.signal }
    const running = runDaemon({ ...options, context: 'dms', onReady: ready.resolve })
    await ready.promise
    const second = new AbortController()
    await assert.rejects(runDaemon({ ...options, context: 'other', signal: second.signal }), {
      code: 'DB_LOCKED'
    })
    stop.abort()
    await running
  })
})
