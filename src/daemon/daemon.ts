/**
 * The composition root: the only place that names concrete classes. Read top to bottom, it is the drawing of the
 * program; what is started is stacked, so a failed start undoes the part that worked and a stop runs backwards.
 */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createGateway } from '../actor/index.ts'
import { createApiServer } from '../api/index.ts'
import type { Config } from '../config/index.ts'
import { openDatabase } from '../db/index.ts'
import { announcement } from '../dms/expiry/index.ts'
import { Node, type NodeOptions } from '../dms/node/index.ts'
import { isHostPortFree } from '../dms/resources/index.ts'
import { createDockerExecutor } from '../executor/docker/index.ts'
import type { Executor } from '../executor/index.ts'
import { createWasmExecutor } from '../executor/wasm/index.ts'
import { createHardware } from '../hardware/index.ts'
import { createKeyStore, peerIdOf } from '../lib/crypto/index.ts'
import { prismDidOf } from '../lib/did/index.ts'
import { createCapabilityStore } from '../lib/ucan/index.ts'
import { createFileSink, createLogger, type LeveledLogger, parseLogLevel } from '../observability/index.ts'
import {
  systemClock as clock,
  createSystemFiles,
  fileError,
  MIB,
  systemRandom as random
} from '../utils/index.ts'
import { CapabilityAnchors } from './capability-anchors.ts'
import { didKeys } from './did-keys.ts'
import { trimHeapWhenIdle } from './heap-trimmer.ts'
import { openNodeKey } from './identity.ts'
import { claimPidFile } from './pid-file.ts'
import { takeReloadSignal } from './reload-signal.ts'

/** What is known when the daemon answers. */
export interface ReadyInfo {
  peerId: string
  did: string
  /** Multiaddresses that end in `/p2p/<peer id>`: what another node puts into its bootstrap list. */
  addresses: string[]
  /** `host:port` of the REST API. */
  restAddress: string
  /** What of the node's capabilities ends soon or has ended, a line each, the first first. */
  endings: string[]
  /** From the call of `runDaemon`. */
  readyMs: number
}

/** What `runDaemon` is told. */
export interface DaemonOptions {
  config: Config
  /** Name of the key and of the capability context, by convention `dms`. */
  context: string
  passphrase: string
  /** Fires when the daemon shall stop. */
  signal: AbortSignal
  onReady?: (info: ReadyInfo) => void
}

/**
 * Runs the daemon until the signal fires. Resolves when everything is closed.
 *
 * @throws DaemonError, KeyStoreError, DatabaseError, NetworkError `NETWORK_LISTEN_FAILED`, ApiListenError: one line
 *   each that says what to do.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const startedMs = clock.monotonicMs()
  const { signal } = options
  await using stack = new AsyncDisposableStack()
  const log = stack.use(openLog(options.config))
  try {
    const info = await startDaemon(options, log.logger, stack)
    const readyMs = clock.monotonicMs() - startedMs
    options.onReady?.({ ...info, readyMs })
    log.logger.info('daemon ready', { peer: info.peerId, readyMs: Math.round(readyMs) })
  } catch (error) {
    // What a stop in the middle of the start made fail is not worth telling.
    signal.throwIfAborted()
    throw error
  }
  await untilAborted(signal)
  log.logger.info('daemon stopping')
}

/** Starts part after part, in dependency order; whatever was started is on the stack, also when a later part fails. */
async function startDaemon(
  { config, context, passphrase, signal }: DaemonOptions,
  log: LeveledLogger,
  stack: AsyncDisposableStack
): Promise<Omit<ReadyInfo, 'readyMs'>> {
  const { user_dir: userDirectory, work_dir: workDirectory, data_dir: dataDirectory } = config.general
  const files = createSystemFiles({ clock, random })
  // The key derivation takes the better part of a second by design: the heavy modules load meanwhile.
  const networkModule = import('../network/libp2p/index.ts')
  networkModule.catch(() => undefined) // reported where it is awaited
  const reload = stack.use(takeReloadSignal(log))
  stack.use(await claimPidFile(files, userDirectory, context, { signal }))
  await makeDirectories([workDirectory, dataDirectory])
  const keys = createKeyStore({ files, random }, { directory: join(userDirectory, 'key') })
  const privateKey = await openNodeKey({ store: keys, random }, context, passphrase, { signal })
  const database = stack.use(openDatabase({ clock, log }, { path: join(dataDirectory, 'dms.sqlite') }))
  const store = createCapabilityStore({ files, clock, random }, { directory: join(userDirectory, 'cap') })
  const anchors = await CapabilityAnchors.open(
    {
      store,
      clock,
      random,
      log,
      lookup: didKeys({ clock, signal }, config),
      did: await prismDidOf(files, userDirectory, context)
    },
    context,
    privateKey
  )
  reload.handle(() => anchors.reload())

  const { createLibp2pNetwork } = await networkModule
  signal.throwIfAborted()
  const network = stack.use(
    createLibp2pNetwork(
      { clock, random, log: log.child({ component: 'network' }), privateKey },
      { listenAddresses: config.p2p.listen_address, bootstrapPeers: config.p2p.bootstrap_peers }
    )
  )
  await network.start({ signal })

  const ownerId = `nunet-${peerIdOf(privateKey.publicKey).slice(-12)}`
  const executors = openExecutors(config, ownerId, stack, log)
  const hardware = createHardware({ clock, log }, { diskPath: workDirectory })
  const node = stack.use(
    new Node(
      {
        network,
        context: anchors.context,
        anchors,
        storedAnchors: () => anchors.stored,
        privateKey,
        database,
        hardware,
        executors,
        files,
        isPortFree: isHostPortFree,
        clock,
        random,
        log,
        setLogLevel: level => {
          log.level = level
        }
      },
      { ...nodeOptions(config), contextName: context }
    )
  )
  await node.start({ signal })

  const gateway = createGateway({ network, clock, log })
  const api = stack.use(
    createApiServer(
      { gateway, handle: node.handle, clock, log: log.child({ component: 'api' }) },
      { address: config.rest.addr, port: config.rest.port }
    )
  )
  await api.start({ signal })
  stack.use(collectGarbage(anchors))
  stack.use(trimHeapWhenIdle(clock))
  const { issues } = node.expiry.health()
  return {
    endings: issues.map(({ effect, endsAtMs }) => announcement(effect, endsAtMs, clock.nowMs())),
    peerId: network.peerId,
    did: anchors.context.owner,
    addresses: network.addresses().map(address => `${address}/p2p/${network.peerId}`),
    restAddress: `${config.rest.addr}:${api.address?.port ?? config.rest.port}`
  }
}

function nodeOptions(config: Config): NodeOptions {
  const {
    work_dir: workDirectory,
    port_available_range_from: from,
    port_available_range_to: to
  } = config.general
  return {
    workDirectory,
    location: nodeLocation(config),
    portRange: { from, to: Math.min(to, 65_535) },
    allowPrivilegedDocker: config.job.allow_privileged_docker
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}

interface Log extends Disposable {
  logger: LeveledLogger
}

/** Everything goes to the log file, or nowhere when its path is `-`. */
function openLog(config: Config): Log {
  const { file, level, rotation } = config.observability.logging
  if (file === '-') {
    return {
      logger: createLogger({ clock, write: () => undefined }, { level: 'error' }),
      [Symbol.dispose]: () => undefined
    }
  }
  const sink = createFileSink(
    { clock },
    {
      path: file,
      maxSizeBytes: rotation.max_size_mb * MIB,
      maxBackups: rotation.max_backups,
      maxAgeDays: rotation.max_age_days
    }
  )
  const logger = createLogger(
    { clock, write: line => sink.write(line) },
    { level: config.general.debug ? 'debug' : parseLogLevel(level) }
  )
  return { logger, [Symbol.dispose]: () => sink.close() }
}

async function makeDirectories(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 })
    } catch (cause) {
      throw fileError('make directory', path, cause)
    }
  }
}

function openExecutors(
  config: Config,
  ownerId: string,
  stack: AsyncDisposableStack,
  log: LeveledLogger
): ReadonlyMap<string, Executor> {
  const deps = { clock, random, log: log.child({ component: 'executor' }) }
  const { docker, wasm } = config.executor
  const executors: Executor[] = []
  if (docker.enabled) {
    const allowPrivileged = config.job.allow_privileged_docker
    const socket = docker.socket === '' ? {} : { socketPath: docker.socket }
    executors.push(createDockerExecutor(deps, { ownerId, allowPrivileged, ...socket }))
  }
  if (wasm.enabled)
    executors.push(
      createWasmExecutor(deps, { ownerId, stateDirectory: join(config.general.data_dir, 'wasm') })
    )
  for (const executor of executors) stack.defer(() => executor.close())
  return new Map(executors.map(executor => [executor.type, executor]))
}

/** What the owner says about where the machine is. */
function nodeLocation(config: Config): { continent?: string; country?: string; city?: string } {
  const { host_continent, host_country, host_city } = config.general
  return {
    ...(host_continent ? { continent: host_continent } : {}),
    ...(host_country ? { country: host_country } : {}),
    ...(host_city ? { city: host_city } : {})
  }
}

/** Sweep of expired anchors (identity-and-actors §7.10). */
const GARBAGE_INTERVAL_MS = 300_000

function collectGarbage(anchors: CapabilityAnchors): Disposable {
  let timer = clock.setTimer(GARBAGE_INTERVAL_MS, function sweep() {
    anchors.context.anchors.collectGarbage()
    void anchors.retryLookups() // never rejects: a key that is not to be had is no fault
    timer = clock.setTimer(GARBAGE_INTERVAL_MS, sweep)
  })
  return { [Symbol.dispose]: () => timer.cancel() }
}
