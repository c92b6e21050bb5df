import { NuError } from '../utils/index.ts'

/** A fact about the machine that the node cannot do without is not readable. */
export class HardwareError extends NuError {
  override readonly name = 'HardwareError'
  readonly code = 'HARDWARE_UNREADABLE'
}
