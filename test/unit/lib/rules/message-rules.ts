/** Rules of the tokens of a message (§7.4 to §7.6). */

import { utf8ToBytes, VirtualClock } from '../../../../src/utils/index.ts'
import { NOW_NS, party } from '../parties.ts'
import { codesOf, type Rule } from './rule.ts'
import { actor, consume, context, HELLO, invocation, invoke, member, owner, trusting } from './scene.ts'

/** Messages: consume, require, discard (§7.4 to §7.6). */
export const messageRules: readonly Rule[] = [
  {
    source: '§7.4',
    says: 'a token list of more than 16384 bytes is refused',
    code: 'UCAN_BLOB_TOO_BIG',
    provoke: () => codesOf(context().consume(member.did, new Uint8Array(16_385).fill(0x20)))
  },
  {
    source: '§7.4',
    says: 'a token list of 16384 bytes is read',
    code: 'ok',
    provoke: () => codesOf(context().consume(member.did, utf8ToBytes('{}'.padEnd(16_384))))
  },
  {
    source: '§7.4',
    says: 'an empty blob is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => codesOf(context().consume(member.did, new Uint8Array()))
  },
  {
    source: '§7.4',
    says: 'a null in the list is malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => codesOf(context().consume(member.did, utf8ToBytes('{"tok":[null]}')))
  },
  {
    source: '§7.4',
    says: 'bytes that are not UTF-8 are malformed',
    code: 'UCAN_MALFORMED',
    provoke: () => codesOf(context().consume(member.did, Uint8Array.of(0x7b, 0xff, 0x7d)))
  },
  {
    source: '§7.4',
    says: 'more than 64 tokens in a message are refused (stricter)',
    code: 'UCAN_TOO_MANY_TOKENS',
    provoke: () => {
      const text = `{"dms":{"act":"","iss":{"uri":"did:a:b"},"sub":{"uri":"did:a:b"},"aud":{},"cap":null,"nonce":null,"exp":0}}`
      return codesOf(
        context().consume(
          member.did,
          utf8ToBytes(`{"tok":[${Array.from({ length: 65 }, () => text).join(',')}]}`)
        )
      )
    }
  },
  {
    source: '§7.4',
    says: 'a token that does not verify is left out, with its reason',
    code: 'UCAN_SIGNATURE',
    provoke: () => invoke(trusting(), [invocation({ signature: new Uint8Array(64) })])
  },
  {
    source: '§7.4',
    says: 'a revocation in a message is left out, with whatever stands below it (stricter)',
    code: 'UCAN_WRONG_ACTION',
    provoke: () => invoke(trusting(), [invocation({ action: 'revoke' })])
  },
  {
    source: '§7.4',
    says: 'a bad token does not spoil a good one',
    code: 'ok',
    provoke: () => invoke(trusting(), [invocation({ signature: new Uint8Array(64) }), invocation()])
  },
  {
    source: '§7.5',
    says: 'a message without tokens is refused',
    code: 'UCAN_NO_TOKENS',
    provoke: () => invoke(trusting(), [])
  },
  {
    source: '§7.5',
    says: 'asking for nothing is refused',
    code: 'UCAN_NOT_AUTHORIZED',
    provoke: () => invoke(trusting(), [invocation()], [])
  },
  {
    source: '§7.5',
    says: 'any one of the capabilities asked suffices',
    code: 'ok',
    provoke: () => invoke(trusting(), [invocation()], ['/other', HELLO])
  },
  {
    source: '§7.5',
    says: 'a token whose time passes while its message waits is refused',
    code: 'UCAN_EXPIRED',
    provoke: async () => {
      const clock = new VirtualClock()
      const { context: by } = party('owner', clock)
      by.anchors.addRoot(member.did)
      const tokens = consume(by, [invocation({ expiresAtNs: NOW_NS + 1_000_000_000n })])
      await clock.advance(1_001)
      return codesOf(
        by.authorizeInvocation(
          { origin: member.did, subject: actor.did, audience: owner.did, capabilities: [HELLO] },
          tokens
        )
      )
    }
  },
  {
    source: '§7.5',
    says: 'a self-signed token of a stranger authorises nothing',
    code: 'UCAN_NOT_ANCHORED',
    provoke: () => invoke(context(), [invocation()])
  },
  {
    source: '§7.6',
    says: 'discarded tokens authorise nothing',
    code: 'UCAN_NO_TOKENS',
    provoke: () => {
      const by = trusting()
      const tokens = consume(by, [invocation()])
      tokens.release()
      return codesOf(
        by.authorizeInvocation(
          { origin: member.did, subject: actor.did, audience: owner.did, capabilities: [HELLO] },
          tokens
        )
      )
    }
  }
]
