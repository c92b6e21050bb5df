import { UsageError } from '../cli/errors.ts'

/**
 * Capabilities of a token to be issued. One without any allows nothing, and `--cap "$UNSET"` is how one comes about.
 * @throws UsageError when there are none
 */
export function readCapabilities(names: readonly string[]): readonly string[] {
  if (names.length > 0) return names
  throw new UsageError('a token without a capability allows nothing', {
    hint: "name at least one with --cap; 'nunet cap help-caps' lists them"
  })
}
