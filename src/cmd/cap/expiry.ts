import type { Clock } from '../../types/index.ts'
import { UsageError } from '../cli/errors.ts'

/** End of a token in Unix nanoseconds, from `--expiry` or `--duration`. @throws UsageError when it lies in the past. */
export function tokenExpiry(
  clock: Clock,
  flags: { readonly expiry: number | undefined; readonly duration: number | undefined }
): bigint {
  const now = clock.nowNs()
  const end =
    flags.expiry === undefined
      ? now + BigInt(Math.round((flags.duration ?? 0) * 1e6))
      : BigInt(flags.expiry) * 1_000_000n
  if (end > now) return end
  throw new UsageError('the token would have expired already', {
    hint: 'give a later --expiry or a longer --duration'
  })
}
