/** The body of a container's creation (Docker Engine API, ContainerCreate) for an execution request. */

import { createHash } from 'node:crypto'
import type { GpuResources } from '../../types/index.ts'
import { ExecutorError } from '../errors.ts'
import type { ExecutionRequest } from '../types.ts'
import {
  LABEL_EXECUTION,
  LABEL_EXECUTION_ID,
  LABEL_JOB,
  LABEL_OWNER,
  LEAST_CORES,
  LEAST_MEMORY_BYTES,
  LOG_MAX_FILES,
  LOG_MAX_SIZE,
  MAX_NAME_LENGTH,
  PIDS_LIMIT
} from './constants.ts'
import type { ImageFacts } from './engine.ts'
import type { DockerParams } from './params.ts'
import { PROVISION_ENTRYPOINT } from './provision.ts'

/** `<owner>_<job>_<execution>` in the letters the engine allows; a hash keeps changed or cut names apart. */
export function containerName(
  ownerId: string,
  { jobId, executionId }: Pick<ExecutionRequest, 'jobId' | 'executionId'>
): string {
  const wanted = `${ownerId}_${jobId}_${executionId}`
  const plain = wanted.replace(/[^a-zA-Z0-9_.-]/g, '-').replace(/^[^a-zA-Z0-9]+/, '')
  if (plain === wanted && plain.length <= MAX_NAME_LENGTH) return plain
  const digest = createHash('sha256').update(wanted).digest('hex').slice(0, 12)
  return `${plain.slice(0, MAX_NAME_LENGTH - digest.length - 1)}-${digest}`.replace(/^-/, '')
}

/** `image` is needed when provision scripts wrap the image's own command. */
export function containerSpec(
  request: ExecutionRequest,
  params: DockerParams,
  ownerId: string,
  image: ImageFacts | undefined
): Record<string, unknown> {
  const { ports } = request
  return {
    Image: params.image.full,
    ...commandOf(request, params, image),
    Env: params.environment,
    ...(params.workingDirectory ? { WorkingDir: params.workingDirectory } : {}),
    ...(params.user ? { User: params.user } : {}),
    Tty: false, // with a terminal the two output streams could not be told apart
    OpenStdin: false,
    Labels: {
      [LABEL_OWNER]: ownerId,
      [LABEL_JOB]: `${ownerId}_${request.jobId}`,
      [LABEL_EXECUTION]: `${ownerId}_${request.jobId}_${request.executionId}`,
      [LABEL_EXECUTION_ID]: request.executionId
    },
    ExposedPorts: Object.fromEntries(ports.map(port => [`${port.workloadPort}/tcp`, {}])),
    HostConfig: hostConfig(request, params)
  }
}

function commandOf(
  request: ExecutionRequest,
  params: DockerParams,
  image: ImageFacts | undefined
): Record<string, unknown> {
  const { entrypoint, command } = params
  if (request.provisionScripts.length === 0) {
    return {
      ...(entrypoint.length > 0 ? { Entrypoint: entrypoint } : {}),
      ...(command.length > 0 ? { Cmd: command } : {})
    }
  }
  // As the engine merges them: a new entrypoint drops the image's command as well.
  const head = entrypoint.length > 0 ? entrypoint : (image?.Config?.Entrypoint ?? [])
  const tail = command.length > 0 || entrypoint.length > 0 ? command : (image?.Config?.Cmd ?? [])
  const full = [...head, ...tail]
  if (full.length === 0) {
    throw new ExecutorError('EXECUTOR_START_FAILED', `image '${params.image.full}' names no command to run`, {
      hint: "give 'cmd' in the ensemble's execution"
    })
  }
  return { Entrypoint: PROVISION_ENTRYPOINT, Cmd: full }
}

function hostConfig(request: ExecutionRequest, params: DockerParams): Record<string, unknown> {
  const { resources, ports, mounts, hosts } = request
  const memory = Math.max(LEAST_MEMORY_BYTES, Math.floor(resources.ram.size))
  return {
    NanoCpus: Math.round(Math.max(LEAST_CORES, resources.cpu.cores) * 1e9),
    Memory: memory,
    MemorySwap: memory, // equal means no swap beside it
    PidsLimit: PIDS_LIMIT,
    Init: true, // reaps zombies and passes signals on to workloads that do not expect to be process 1
    Privileged: params.privileged,
    ...(params.privileged ? {} : { SecurityOpt: ['no-new-privileges:true'] }),
    RestartPolicy: { Name: 'no' }, // the allocation decides about restarts (runtime §3.3)
    LogConfig: { Type: 'json-file', Config: { 'max-size': LOG_MAX_SIZE, 'max-file': LOG_MAX_FILES } },
    PortBindings: portBindings(ports),
    ExtraHosts: Object.entries(hosts).map(
      ([name, address]) => `${name}:${address === 'host' ? 'host-gateway' : address}`
    ),
    // The long form: unlike the short one it refuses a source that is missing instead of making a directory of root's.
    Mounts: mounts.map(({ source, target, readOnly }) => ({
      Type: 'bind',
      Source: source,
      Target: target,
      ReadOnly: readOnly
    })),
    ...gpuConfig(resources.gpus ?? [])
  }
}

function portBindings(
  ports: ExecutionRequest['ports']
): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { hostIp, hostPort, workloadPort } of ports) {
    const key = `${workloadPort}/tcp`
    bindings[key] = [...(bindings[key] ?? []), { HostIp: hostIp, HostPort: String(hostPort) }]
  }
  return bindings
}

/** Exactly the GPUs that were asked for, by UUID: an index counts differently on hosts of mixed vendors (runtime §6.3 E7). */
function gpuConfig(gpus: readonly GpuResources[]): Record<string, unknown> {
  const other = gpus.find(gpu => gpu.vendor !== 'NVIDIA' && gpu.vendor !== 'None')
  if (other !== undefined) {
    throw new ExecutorError(
      'EXECUTOR_UNSUPPORTED',
      `GPUs of '${other.vendor}' cannot be handed to a container yet`,
      {
        hint: 'ask for an NVIDIA GPU, or for none'
      }
    )
  }
  const ids = gpus.filter(gpu => gpu.vendor === 'NVIDIA').map(gpu => gpu.uuid || String(gpu.index))
  return ids.length > 0
    ? { DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: ids, Capabilities: [['gpu']] }] }
    : {}
}
