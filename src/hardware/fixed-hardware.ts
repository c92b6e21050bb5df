import type { AbortOptions, Resources } from '../types/index.ts'
import { difference } from './hardware.ts'
import type { Hardware } from './types.ts'

const NOTHING: Resources = { cpu: { cores: 0 }, gpus: [], ram: { size: 0 }, disk: { size: 0 } }

/** A machine with the given totals and use (default: none), for tests and simulation. */
export function createFixedHardware(spec: Resources, usage: Resources = NOTHING): Hardware {
  const answer = async (resources: Resources, { signal }: AbortOptions = {}): Promise<Resources> => {
    signal?.throwIfAborted()
    return structuredClone(resources)
  }
  return {
    spec: options => answer(spec, options),
    usage: options => answer(usage, options),
    free: options => answer(difference(spec, usage), options)
  }
}
