import type { Clock } from '../../types/index.ts'
import { UsageError } from '../cli/errors.ts'

/** When a message expires, from `--expiry` or `--timeout`, in Unix nanoseconds. @throws UsageError for a time that has passed. */
export function expiryOf(
  clock: Clock,
  flags: { readonly expiry: number | undefined; readonly timeout: number | undefined },
  defaultMs: number
): bigint {
  const now = clock.nowNs()
  const expiresAtNs =
    flags.expiry !== undefined
      ? BigInt(flags.expiry) * 1_000_000n
      : now + BigInt(Math.round((flags.timeout ?? defaultMs) * 1e6))
  if (expiresAtNs > now) return expiresAtNs
  throw new UsageError('the message would have expired already', {
    hint: 'give a later --expiry or a longer --timeout'
  })
}
