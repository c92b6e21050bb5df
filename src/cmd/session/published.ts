import type { PublicKey } from '../../lib/crypto/index.ts'
import type { Did } from '../../types/index.ts'
import { bytesEqual, errorMessage } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { oneLine } from '../cli/printable.ts'
import { keyLookup } from './did-keys.ts'

/**
 * Says so when others would not take signatures of this key for those of the DID: its document names another key, or
 * cannot be had. Only a warning: a DID takes a while to be published.
 */
export async function warnUnlessPublished(
  cli: Cli,
  resolver: string,
  did: Did,
  key: PublicKey
): Promise<void> {
  const lookup = keyLookup(cli, { did: { prism_resolver: resolver } })
  try {
    await lookup.resolveKey?.(did, { signal: cli.signal })
    const published = lookup.keyOf?.(did)
    if (published !== undefined && published.type === key.type && bytesEqual(published.raw, key.raw)) return
    cli.terminal.err(
      `warning: the document of ${did} names another key; signatures of this one will be refused\n`
    )
  } catch (error) {
    cli.signal.throwIfAborted()
    cli.terminal.err(
      `warning: whether ${did} names this key was not checked: ${oneLine(errorMessage(error))}\n`
    )
  }
}
