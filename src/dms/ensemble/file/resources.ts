/** Reads `allocations.*.resources` (deployment §1.4.3). Sizes become bytes, clock speeds Hz. */

import type { GpuResources, GpuVendor, Resources } from '../../../types/index.ts'
import { parseBytes, parseHertz } from '../../../utils/index.ts'
import { defined, type Field, type FieldMap } from './field.ts'

const SIZE = "a size above 0 such as '2 GiB', '512MiB' or '1' (GiB)"
const SPEED = "a clock speed above 0 such as '2.4 GHz' or '2.4' (GHz)"
const CORES = "a number of cores above 0 such as '1' or '0.5'"
const WHOLE = 'a whole number from 0'

/** More cores than any machine has; keeps sums exact. */
const MAX_CORES = 1_000_000

/** The resources, or `undefined` after reporting why not. */
export function readResources(field: Field): Resources | undefined {
  const map = field.map(
    "resources such as '{ cpu: { cores: 1 }, ram: { size: 1 GiB }, disk: { size: 1 GiB } }'"
  )
  if (map === undefined) return undefined
  const cpu = readCpu(map.get('cpu'))
  const gpus = readGpus(map.get('gpus'))
  const ram = readRam(map.get('ram'))
  const disk = readDisk(map.get('disk'))
  map.warnUnknown()
  return cpu && ram && disk && defined({ cpu, gpus: gpus.length > 0 ? gpus : undefined, ram, disk })
}

function readCpu(field: Field): Resources['cpu'] | undefined {
  const map = field.required("a map with 'cores'") ? field.map("a map with 'cores'") : undefined
  if (map === undefined) return undefined
  const cores = requiredPositive(map.get('cores'), CORES, parseCores)
  const cpu = {
    cores: cores ?? 0,
    clock_speed: positive(map.get('clock_speed'), SPEED, parseHertz),
    model: map.get('model').text(),
    vendor: map.get('vendor').text(),
    threads: map.get('threads').integer(WHOLE, notNegative),
    architecture: map.get('architecture').text(),
    cache_size: map.get('cache_size').integer(WHOLE, notNegative)
  }
  map.warnUnknown()
  return cores === undefined ? undefined : defined(cpu)
}

function readRam(field: Field): Resources['ram'] | undefined {
  const map = field.required("a map with 'size'") ? field.map("a map with 'size'") : undefined
  if (map === undefined) return undefined
  const size = requiredPositive(map.get('size'), SIZE, parseBytes)
  const ram = {
    size: size ?? 0,
    clock_speed: positive(map.get('clock_speed'), SPEED, parseHertz),
    type: map.get('type').text()
  }
  map.warnUnknown()
  return size === undefined ? undefined : defined(ram)
}

function readDisk(field: Field): Resources['disk'] | undefined {
  const map = field.required("a map with 'size'") ? field.map("a map with 'size'") : undefined
  if (map === undefined) return undefined
  const size = requiredPositive(map.get('size'), SIZE, parseBytes)
  const disk = {
    size: size ?? 0,
    model: map.get('model').text(),
    vendor: map.get('vendor').text(),
    type: map.get('type').text(),
    interface: map.get('interface').text(),
    read_speed: map.get('read_speed').integer(WHOLE, notNegative),
    write_speed: map.get('write_speed').integer(WHOLE, notNegative)
  }
  map.warnUnknown()
  return size === undefined ? undefined : defined(disk)
}

function readGpus(field: Field): GpuResources[] {
  return field.list('a list of GPUs').flatMap((item, position) => {
    const map = item.required('a map') ? item.map() : undefined
    return map === undefined ? [] : [readGpu(map, position)]
  })
}

function readGpu(map: FieldMap, position: number): GpuResources {
  // The existing validator knows a member 'memory' that no structure has: checked, then dropped.
  if (map.get('memory').given) {
    positive(map.get('memory'), SIZE, parseBytes)
    map.get('memory').warn({ message: "unknown key 'memory' is ignored", hint: "did you mean 'vram'?" })
  }
  const gpu: GpuResources = {
    index: map.get('index').integer(WHOLE, notNegative) ?? position,
    vendor: gpuVendor(map.get('vendor').text() ?? ''),
    pci_address: map.get('pci_address').text() ?? '',
    model: map.get('model').text() ?? '',
    // A bare number is GiB as everywhere else; the existing reader takes bytes by accident (deployment §7, 4).
    vram: map.get('vram').parsed("a size such as '16 GiB' or '16' (GiB)", parseBytes) ?? 0,
    uuid: map.get('uuid').text() ?? ''
  }
  map.warnUnknown()
  return gpu
}

/** Recognised as the existing system does (deployment §4.1). */
function gpuVendor(text: string): GpuVendor {
  const upper = text.toUpperCase()
  if (upper.includes('NVIDIA')) return 'NVIDIA'
  if (upper.includes('AMD') || upper.includes('ATI')) return 'AMD/ATI'
  if (upper.includes('INTEL')) return 'Intel'
  return upper === 'NONE' ? 'None' : 'Unknown'
}

type Parse = (value: string | number) => number

function requiredPositive(field: Field, expected: string, parse: Parse): number | undefined {
  return field.required(expected) ? positive(field, expected, parse) : undefined
}

function positive(field: Field, expected: string, parse: Parse): number | undefined {
  const value = field.parsed(expected, parse)
  return value === undefined || value > 0 ? value : field.fail(expected)
}

function parseCores(value: string | number): number {
  const text = String(value).trim()
  const cores = /^(?:\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})$/.test(text) ? Number(text) : Number.NaN
  if (!(cores <= MAX_CORES)) throw new RangeError('write a plain number, without a unit')
  return cores
}

const notNegative = (value: number): boolean => value >= 0
