import type { Clock } from '../../../types/index.ts'
import { parseDurationMs, parseTimeMs } from '../../../utils/index.ts'

/** Points in time as the CLI takes them: RFC 3339, or an age such as `7d`. @throws SyntaxFault */
export function readTime(value: string, clock: Clock): number {
  return /^\d+(\.\d+)?[a-zµ]/.test(value) ? clock.nowMs() - parseDurationMs(value) : parseTimeMs(value)
}
