/** Onboarding (cli-api-config §7.2): the node's own hardware facts are completed with what the user offers. */

import type { GpuResources, GpuVendor } from '../../../types/index.ts'
import { formatBytes, parseBytes } from '../../../utils/index.ts'
import { CommandError, UsageError } from '../../cli/errors.ts'
import type { Terminal } from '../../cli/terminal.ts'
import { isRecord, member, numberMember, textMember } from '../../session/call.ts'
import type { PayloadSource } from './types.ts'

interface OnboardFlags {
  readonly cpu: number
  readonly ram: string
  readonly disk: string
  readonly gpus: string | undefined
  readonly 'no-gpu': boolean
}

/** The request of `/dms/node/onboarding/onboard`. Prints the human lines that belong in front of the reply. */
export async function prepareOnboarding(flags: OnboardFlags, { cli, ask }: PayloadSource): Promise<unknown> {
  const ram = readSize('ram', flags.ram)
  const disk = readSize('disk', flags.disk)
  const wanted = flags.gpus === undefined ? undefined : parseGpus(flags.gpus)
  const reply = await ask('/dms/node/hardware/spec')
  const machine = member(reply, 'Resources')
  if (member(reply, 'OK') !== true || !isRecord(machine)) {
    throw new CommandError(
      `could not get the machine's hardware: ${textMember(reply, 'error') || 'no reason given'}`
    )
  }
  const gpus = await chooseGpus(cli.terminal, readGpus(machine), wanted, flags['no-gpu'], cli.signal)
  const cpu = member(machine, 'cpu')
  const clockSpeed = isRecord(cpu) ? numberMember(cpu, 'clock_speed') : undefined
  return {
    NoGPU: flags['no-gpu'],
    GPUs: '',
    Config: {
      is_onboarded: false,
      onboarded_resources: {
        cpu: { ...(clockSpeed === undefined ? {} : { clock_speed: clockSpeed }), cores: flags.cpu },
        gpus,
        ram: { size: ram },
        disk: { size: disk }
      }
    }
  }
}

function readSize(flag: string, text: string): number {
  try {
    return parseBytes(text)
  } catch (cause) {
    throw new UsageError(`invalid argument "${text}" for "--${flag}" flag: expected a size`, {
      cause,
      hint: "write '4GiB', '512MiB', or a number of GiB"
    })
  }
}

/** `index:vram` pairs. @throws UsageError */
function parseGpus(text: string): Map<number, number> {
  const pairs = text.split(',').map((pair): [number, number] => {
    const [index = '', vram = '', ...rest] = pair.split(':')
    if (!/^\d+$/.test(index.trim()) || vram === '' || rest.length > 0) {
      throw new UsageError(`invalid argument "${text}" for "--gpus" flag: '${pair}' is not index:vram`, {
        hint: "for example '0:4GiB,1:8GiB'"
      })
    }
    return [Number(index), readSize('gpus', vram)]
  })
  return new Map(pairs)
}

async function chooseGpus(
  terminal: Terminal,
  present: readonly GpuResources[],
  wanted: ReadonlyMap<number, number> | undefined,
  noGpu: boolean,
  signal: AbortSignal
): Promise<GpuResources[]> {
  if (noGpu) {
    terminal.out('Skipping GPU selection.\n')
    return []
  }
  if (present.length === 0) {
    if (wanted !== undefined)
      throw new CommandError('this machine has no GPU', { hint: 'leave --gpus out, or use --no-gpu' })
    terminal.out(
      'No GPU was found on this machine.\nIf it has one, check its driver: https://docs.nunet.io\n'
    )
    return []
  }
  const chosen = wanted ?? (await askGpus(terminal, present, signal))
  return [...chosen].map(([index, vram]) => {
    const gpu = present.find(candidate => candidate.index === index)
    if (gpu === undefined) {
      const known = present.map(candidate => candidate.index).join(', ')
      throw new CommandError(`there is no GPU ${index}`, { hint: `this machine has GPU ${known}` })
    }
    return { ...gpu, vram }
  })
}

async function askGpus(
  terminal: Terminal,
  present: readonly GpuResources[],
  signal: AbortSignal
): Promise<Map<number, number>> {
  if (!terminal.canAsk) {
    throw new CommandError('this machine has GPUs and nothing was said about them', {
      hint: "use --gpus 'index:vram' or --no-gpu"
    })
  }
  for (const gpu of present)
    terminal.err(`GPU ${gpu.index}: ${gpu.model} (${gpu.vendor}), ${formatBytes(gpu.vram)}\n`)
  const answer = await terminal.ask('Offer which, as index:vram,…? Nothing for none: ', { signal })
  return answer.trim() === '' ? new Map() : parseGpus(answer.trim())
}

function readGpus(machine: Record<string, unknown>): GpuResources[] {
  const list = member(machine, 'gpus')
  if (!Array.isArray(list)) return []
  return list.filter(isRecord).map(gpu => ({
    index: numberMember(gpu, 'index') ?? 0,
    vendor: readVendor(textMember(gpu, 'vendor')),
    pci_address: textMember(gpu, 'pci_address'),
    model: textMember(gpu, 'model'),
    vram: numberMember(gpu, 'vram') ?? 0,
    uuid: textMember(gpu, 'uuid')
  }))
}

const VENDORS: readonly GpuVendor[] = ['NVIDIA', 'AMD/ATI', 'Intel', 'Unknown', 'None']

function readVendor(text: string): GpuVendor {
  return VENDORS.find(vendor => vendor === text) ?? 'Unknown'
}
