import type { FlagTable } from '../cli/flags.ts'
import { OUTPUT_FLAG } from '../deployments/flags.ts'

/** Flags of `nunet key agent`. */
export const KEY_AGENT_FLAGS = {
  foreground: {
    kind: 'bool',
    description: 'stay in the foreground instead of starting it in the background'
  },
  idle: {
    kind: 'duration',
    description: 'drop a key that did not sign for so long, and end when no key is held for so long',
    default: '15m'
  },
  lifetime: { kind: 'duration', description: 'end after so long in any case', default: '8h' },
  session: {
    kind: 'uint',
    description: 'end when the process of this id ends, instead of the login session it is started in'
  },
  status: {
    kind: 'bool',
    description: 'say which keys are unlocked and until when; exit code 1 when none runs'
  },
  stop: { kind: 'bool', description: 'drop all keys and end the agent' },
  ...OUTPUT_FLAG
} as const satisfies FlagTable

/** Flags of `nunet key unlock`. */
export const KEY_UNLOCK_FLAGS = {
  lifetime: {
    kind: 'duration',
    description: "lock it again after so long, when that is before the agent's own end"
  }
} as const satisfies FlagTable

/** Flags of `nunet key lock`. */
export const KEY_LOCK_FLAGS = {
  all: { kind: 'bool', description: 'lock all keys' }
} as const satisfies FlagTable
