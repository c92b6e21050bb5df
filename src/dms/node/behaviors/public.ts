/** What anyone with the `/public` or `/broadcast` capability may ask (cli-api-config §6.2). */

import type { Hardware } from '../../../hardware/index.ts'
import type { Did } from '../../../types/index.ts'
import type { ExpiryWatch } from '../../expiry/index.ts'
import { NO_RESOURCES } from '../../resources/index.ts'
import { type Declaration, declare, noPayload } from '../declare.ts'
import { healthSummary } from './status.ts'

/** Topic of the broadcast greeting. */
export const HELLO_TOPIC = '/nunet/hello'

/** What the public behaviours answer from. */
export interface PublicBehaviorDeps {
  hardware: Hardware
  did: Did
  expiry: Pick<ExpiryWatch, 'health'>
}

export function publicBehaviors({ hardware, did, expiry }: PublicBehaviorDeps): Declaration[] {
  return [
    declare({ path: '/public/hello', request: noPayload, handle: () => ({ DID: { uri: did } }) }),
    declare({
      path: '/broadcast/hello',
      request: noPayload,
      topic: HELLO_TOPIC,
      handle: () => ({ DID: { uri: did } })
    }),
    declare({
      path: '/public/status',
      request: noPayload,
      handle: async ({ signal }) => ({
        Status: 'OK',
        Resources: await hardware.spec({ signal }),
        Capabilities: healthSummary(expiry.health())
      }),
      onError: () => ({ Status: 'ERROR', Resources: NO_RESOURCES })
    })
  ]
}
