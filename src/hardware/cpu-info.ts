/** Model, maker and speed of the processor, from the text of /proc/cpuinfo (proc_cpuinfo(5)). */

/** What the text tells; a member it does not tell is absent. */
export interface CpuInfo {
  readonly model?: string
  readonly vendor?: string
  readonly hertz?: number
  readonly cacheBytes?: number
  /** Logical CPUs listed. */
  readonly processors: number
}

/** ARM lists its maker as a number (Arm ARM, MIDR_EL1). */
const ARM_IMPLEMENTERS: ReadonlyMap<string, string> = new Map([
  ['0x41', 'ARM'],
  ['0x42', 'Broadcom'],
  ['0x43', 'Cavium'],
  ['0x46', 'Fujitsu'],
  ['0x48', 'HiSilicon'],
  ['0x4e', 'NVIDIA'],
  ['0x50', 'Ampere'],
  ['0x51', 'Qualcomm'],
  ['0x61', 'Apple'],
  ['0xc0', 'Ampere']
])

/** Names that differ between Node and the rest of the world. */
const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
  ['ia32', 'i686']
])

/** Reads the first processor's facts; all cores of a machine we care for are of one make. */
export function parseCpuInfo(text: string): CpuInfo {
  const facts = new Map<string, string>()
  let processors = 0
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const name = line.slice(0, colon).trim()
    if (name === 'processor') processors++
    if (!facts.has(name)) facts.set(name, line.slice(colon + 1).trim())
  }
  const mhz = Number(facts.get('cpu MHz'))
  const cache = /^(\d+) KB$/.exec(facts.get('cache size') ?? '')
  const model = facts.get('model name') ?? facts.get('Model')
  const vendor =
    facts.get('vendor_id') ?? ARM_IMPLEMENTERS.get(facts.get('CPU implementer')?.toLowerCase() ?? '')
  return {
    processors,
    ...(model ? { model } : {}),
    ...(vendor ? { vendor } : {}),
    ...(mhz > 0 ? { hertz: Math.round(mhz * 1e6) } : {}),
    ...(cache ? { cacheBytes: Number(cache[1]) * 1024 } : {})
  }
}

/** Hertz of `cpufreq/cpuinfo_max_freq`, which is in kHz. */
export function parseMaxFrequency(text: string): number | undefined {
  const khz = Number(text.trim())
  return Number.isFinite(khz) && khz > 0 ? khz * 1000 : undefined
}

/** The name the rest of the world uses for Node's `process.arch`. */
export function architectureName(nodeName: string): string {
  return ARCHITECTURES.get(nodeName) ?? nodeName
}
