/** What the node trusts, for its administrators (identity-and-actors §4.5). */

import type { CapabilityContext } from '../../../lib/ucan/index.ts'
import { formatToken } from '../../../lib/ucan/index.ts'
import { type Declaration, declare, noPayload } from '../declare.ts'

export function capabilityBehaviors({ context }: { context: CapabilityContext }): Declaration[] {
  const { anchors } = context
  return [
    declare({
      path: '/dms/cap/list',
      request: noPayload,
      handle: () => ({
        OK: true,
        Error: '',
        Roots: anchors.roots.map(uri => ({ uri })),
        Require: { tok: anchors.require.map(readable) },
        Provide: { tok: anchors.provide.map(readable) },
        Revoke: { tok: anchors.revoke.map(readable) }
      })
    })
  ]
}

/** NOTE: `exp` passes through a JavaScript number here and is rounded below a microsecond; this is a listing, not a token to be used. */
function readable(token: Parameters<typeof formatToken>[0]): unknown {
  return JSON.parse(formatToken(token))
}
