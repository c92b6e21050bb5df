/** Step 7: the answer, an ordinary message whose right to be heard came with the request (identity-and-actors §8.5). */

import type { ConsumedTokens } from '../../lib/ucan/index.ts'
import type { Outbox } from '../outbox.ts'
import type { Envelope } from '../types.ts'

/** Sends a reply's JSON text to whoever sent `request`; without a reply behaviour there is nobody to send it to. */
export async function sendReply(
  outbox: Outbox,
  request: Envelope,
  encoded: Uint8Array | undefined,
  tokens: ConsumedTokens | undefined,
  signal: AbortSignal
): Promise<void> {
  if (request.options.replyTo === '' || encoded === undefined) return
  await outbox.send(
    {
      to: request.from,
      behavior: request.options.replyTo,
      encoded,
      expiresAtNs: request.options.expiresAtNs,
      tokens
    },
    signal
  )
}
