import { readFileSync } from 'node:fs'
import type { PlatformFacts, SystemReader } from '../../../src/hardware/index.ts'

/** A recorded text of a real machine. */
export function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/hardware/${name}`, import.meta.url), 'utf8')
}

export const PLATFORM: PlatformFacts = {
  logicalCpus: 8,
  cpuModel: 'Apple M2',
  cpuMhz: 2400,
  architecture: 'arm64',
  memoryBytes: 16 * 2 ** 30,
  freeMemoryBytes: 4 * 2 ** 30,
  cpuTimes: { busy: 100, total: 1000 }
}

/** A machine of recorded texts by path. A list is handed out one text per reading; the last one stays. */
export function recordedMachine(
  texts: Readonly<Record<string, string | readonly string[]>>,
  platform: Partial<PlatformFacts> = {}
): SystemReader & { readonly reads: string[] } {
  const reads: string[] = []
  const counts = new Map<string, number>()
  return {
    reads,
    async readText(path, { signal } = {}) {
      signal?.throwIfAborted()
      reads.push(path)
      const count = counts.get(path) ?? 0
      counts.set(path, count + 1)
      const text = texts[path]
      return text === undefined || typeof text === 'string' ? text : text[Math.min(count, text.length - 1)]
    },
    diskSpace: async () => ({ size: 1000, available: 400 }),
    platform: () => ({ ...PLATFORM, ...platform })
  }
}
