/** Checks of the machine: the Node program, devices, Docker, clock and disk. */

import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode, formatBytes, GIB, isoTime, parseTimeMs } from '../../utils/index.ts'
import { MINIMUM_NODE } from '../cli/bootstrap.ts'
import { BUILD } from '../version/build.ts'
import { type Check, type Finding, finding, type Patient } from './check.ts'

/** Less free space than this leaves no room for images and logs. */
const LOW_DISK = GIB
/** A second is far more than a local engine needs to accept a connection. Milliseconds. */
const DOCKER_TIMEOUT_MS = 1000
const DOCKER_SOCKET = '/var/run/docker.sock'

/** Needs no configuration, so it comes before one is read. */
export function checkNodeVersion(): Finding {
  const isNew = Number(process.versions.node.split('.')[0]) >= MINIMUM_NODE
  return finding('Node', isNew ? 'ok' : 'fail', process.version, `install Node ${MINIMUM_NODE} or newer`)
}

/** A clock that is behind the program's own build cannot be right; expiry of every token depends on it. */
export const checkClock: Check = async ({ cli }) => {
  const now = cli.clock.nowMs()
  const built = buildTime()
  const shown = isoTime(now)
  if (now < built)
    return finding(
      'clock',
      'fail',
      `${shown} is before this program was built`,
      'set the clock, or let a time service do it: timedatectl set-ntp true'
    )
  return finding('clock', 'ok', shown)
}

function buildTime(): number {
  try {
    return parseTimeMs(BUILD.date)
  } catch {
    return parseTimeMs('2026-01-01')
  }
}

export const checkDocker: Check = async ({ config, cli }) => {
  if (!config.executor.docker.enabled)
    return finding('Docker', 'ok', 'switched off; WebAssembly workloads run without it')
  const socket = socketPath(config.executor.docker.socket, cli.environment.dockerHost)
  const problem = await connectProblem(socket, cli)
  if (problem === undefined) return finding('Docker', 'ok', `answers on ${socket}`)
  const fixes: Readonly<Record<string, string>> = {
    EACCES: `join the group that may use it: sudo usermod -aG docker "$USER", then log in again`,
    ENOENT: 'install it to run containers: sudo apt install docker.io',
    ECONNREFUSED: 'start it: sudo systemctl start docker'
  }
  return finding(
    'Docker',
    'warn',
    `not usable on ${socket} (${problem}); WebAssembly workloads run without it`,
    fixes[problem] ?? 'look at the log of dockerd'
  )
}

function socketPath(configured: string, dockerHost: string | undefined): string {
  if (configured !== '') return configured
  return dockerHost?.startsWith('unix://') ? dockerHost.slice('unix://'.length) : DOCKER_SOCKET
}

/** The error code of connecting to a local socket; `undefined` when it works. */
async function connectProblem(path: string, { clock, signal }: Patient['cli']): Promise<string | undefined> {
  const { connect } = await import('node:net')
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = connect({ path })
  const timer = clock.setTimer(DOCKER_TIMEOUT_MS, () => resolve('ETIMEDOUT'))
  socket
    .once('connect', () => resolve(undefined))
    .once('error', error => resolve(errorCode(error) ?? error.message))
  const problem = await promise
  timer.cancel()
  socket.destroy()
  signal.throwIfAborted()
  return problem
}

/** Devices later parts of the system use; a node runs without them. */
export const checkTun: Check = async () =>
  await checkDevice(
    'TUN',
    '/dev/net/tun',
    'no subnets between workloads',
    'load it: sudo modprobe tun; give the program CAP_NET_ADMIN'
  )

export const checkKvm: Check = async () =>
  await checkDevice(
    'KVM',
    '/dev/kvm',
    'no micro virtual machines',
    'turn on virtualisation in the firmware, and join the group kvm: sudo usermod -aG kvm "$USER"'
  )

async function checkDevice(name: string, path: string, consequence: string, fix: string) {
  try {
    await access(path, constants.R_OK | constants.W_OK)
    return finding(name, 'ok', path)
  } catch (error) {
    const why = errorCode(error) === 'ENOENT' ? 'is not there' : 'may not be used'
    return finding(name, 'warn', `${path} ${why}: ${consequence}`, fix)
  }
}

export const checkDisk: Check = async ({ config }) => {
  const directory = await nearestDirectory(config.general.work_dir)
  const { bavail, bsize } = await statfs(directory)
  const free = bavail * bsize
  const status = free < LOW_DISK ? 'warn' : 'ok'
  return finding(
    'disk',
    status,
    `${formatBytes(free)} free for ${config.general.work_dir}`,
    'free some space, or choose another general.work_dir'
  )
}

/** The directory itself, or the nearest above it that exists. */
async function nearestDirectory(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined)
    if (found !== undefined || at === dirname(at)) return at
  }
}
