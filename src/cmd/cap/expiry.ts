import type { Clock } from '../../types/index.ts'
import { isoTime } from '../../utils/index.ts'
import { UsageError } from '../cli/errors.ts'

/** Nanoseconds since 1970 in 64 bits without sign: more cannot be written into a token (identity-and-actors §6.1). */
const MAX_EXPIRY_NS = 2n ** 64n - 1n

/** End of a token in Unix nanoseconds, from `--expiry` or `--duration`. @throws UsageError when it lies in the past or does not fit. */
export function tokenExpiry(
  clock: Clock,
  flags: { readonly expiry: number | undefined; readonly duration: number | undefined }
): bigint {
  const now = clock.nowNs()
  const end =
    flags.expiry === undefined
      ? now + BigInt(Math.round((flags.duration ?? 0) * 1e6))
      : BigInt(flags.expiry) * 1_000_000n
  if (end > MAX_EXPIRY_NS) {
    throw new UsageError('no token lasts that long', {
      hint: `the last moment a token can hold is ${isoTime(Number(MAX_EXPIRY_NS / 1_000_000n))}`
    })
  }
  if (end > now) return end
  throw new UsageError('the token would have expired already', {
    hint: 'give a later --expiry or a longer --duration'
  })
}
