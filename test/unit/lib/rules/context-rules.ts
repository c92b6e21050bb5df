/** Rules of what a leaf authorises, of revocation, and of anchors (§6.4, §6.5, §7.2, §7.3). */

import { TrustAnchors } from '../../../../src/lib/ucan/trust.ts'
import { VirtualClock } from '../../../../src/utils/index.ts'
import { NOW_NS, token } from '../parties.ts'
import { codesOf, type Rule } from './rule.ts'
import {
  actor,
  broadcast,
  broadcastToken,
  context,
  guest,
  HELLO,
  invocation,
  invoke,
  member,
  network,
  owner,
  SOON_NS,
  throughAnchor,
  trusting
} from './scene.ts'

/** What a verified leaf authorises (§6.4). */
export const authorisationRules: readonly Rule[] = [
  {
    source: '§6.4',
    says: 'an invocation of a root is authorised',
    code: 'ok',
    provoke: () => invoke(trusting(), [invocation()])
  },
  {
    source: '§6.4',
    says: 'a delegation is no invocation',
    code: 'UCAN_WRONG_ACTION',
    provoke: () => invoke(trusting(), [invocation({ action: 'delegate' })])
  },
  {
    source: '§6.4',
    says: 'an unknown action authorises nothing',
    code: 'UCAN_WRONG_ACTION',
    provoke: () => invoke(trusting(), [invocation({ action: 'dance' })])
  },
  {
    source: '§6.4',
    says: 'the token of another actor is refused',
    code: 'UCAN_WRONG_SUBJECT',
    provoke: () => invoke(trusting(), [invocation({ subject: guest.did })])
  },
  {
    source: '§6.4',
    says: 'a token for another receiver is refused',
    code: 'UCAN_WRONG_AUDIENCE',
    provoke: () => invoke(trusting(), [invocation({ audience: guest.did })])
  },
  {
    source: '§6.4',
    says: 'a token for anyone is accepted',
    code: 'ok',
    provoke: () => invoke(trusting(), [invocation({ audience: undefined })])
  },
  {
    source: '§6.4',
    says: 'a token for another capability is refused',
    code: 'UCAN_WRONG_CAPABILITY',
    provoke: () => invoke(trusting(), [invocation({ capabilities: ['/private'] })])
  },
  {
    source: '§6.4',
    says: 'a token without capabilities authorises nothing',
    code: 'UCAN_WRONG_CAPABILITY',
    provoke: () => invoke(trusting(), [invocation({ capabilities: [] })])
  },
  {
    source: '§6.4',
    says: 'a broadcast of a root is authorised',
    code: 'ok',
    provoke: () => broadcast(trusting(), [broadcastToken()])
  },
  {
    source: '§6.4',
    says: 'an invocation is no broadcast',
    code: 'UCAN_WRONG_ACTION',
    provoke: () => broadcast(trusting(), [invocation({ topics: ['/nunet'] })])
  },
  {
    source: '§6.4',
    says: 'a broadcast with an audience is refused',
    code: 'UCAN_WRONG_AUDIENCE',
    provoke: () => broadcast(trusting(), [broadcastToken({ audience: owner.did })])
  },
  {
    source: '§6.4',
    says: 'a broadcast for another topic is refused',
    code: 'UCAN_WRONG_TOPIC',
    provoke: () => broadcast(trusting(), [broadcastToken({ topics: ['/other'] })])
  },
  {
    source: '§6.4',
    says: 'a broadcast token of another actor is refused',
    code: 'UCAN_WRONG_SUBJECT',
    provoke: () => broadcast(trusting(), [broadcastToken({ subject: guest.did })])
  },
  {
    source: '§6.4',
    says: 'a broadcast of another capability is refused',
    code: 'UCAN_WRONG_CAPABILITY',
    provoke: () => broadcast(trusting(), [broadcastToken({ capabilities: ['/private'] })])
  }
]

/** §6.5. */
export const revocationRules: readonly Rule[] = [
  {
    source: '§6.5',
    says: 'only the issuer of a token can revoke it',
    code: 'UCAN_NOT_ISSUER',
    provoke: async () => codesOf(await context().revoke(token(network, { subject: member.did })))
  },
  {
    source: '§6.5',
    says: 'a revocation cannot be revoked',
    code: 'UCAN_NOT_REVOCABLE',
    provoke: async () =>
      codesOf(await context().revoke(token(owner, { subject: member.did, action: 'revoke' })))
  },
  {
    source: '§6.5',
    says: 'a token without nonce cannot be revoked',
    code: 'UCAN_NOT_REVOCABLE',
    provoke: async () => codesOf(await context().revoke(token(owner, { subject: member.did, nonce: null })))
  },
  {
    source: '§6.5',
    says: 'a delegation is no revocation',
    code: 'UCAN_NOT_REVOCATION',
    provoke: () => codesOf(context().anchors.addRevoke([token(owner, { subject: member.did })]))
  },
  {
    source: '§6.5',
    says: 'a forged revocation is refused',
    code: 'UCAN_SIGNATURE',
    provoke: () =>
      codesOf(
        context().anchors.addRevoke([
          token(guest, { subject: member.did, action: 'revoke', issuer: owner.did })
        ])
      )
  },
  {
    source: '§6.5',
    says: 'a revoked token counts no more, the moment the revocation is known',
    code: 'UCAN_REVOKED',
    provoke: () => {
      const by = context()
      const chain = token(owner, { subject: member.did, capabilities: ['/public'] })
      const before = invoke(by, [invocation({ chain })])
      by.anchors.addRevoke([token(owner, { ...chain, action: 'revoke', signature: undefined })])
      return before[0] === 'ok' ? invoke(by, [invocation({ chain })]) : before
    }
  },
  {
    source: '§6.5',
    says: 'the revocation of somebody else with the same nonce revokes nothing',
    code: 'ok',
    provoke: () => {
      const by = context()
      const chain = token(owner, { subject: member.did, capabilities: ['/public'] })
      by.anchors.addRevoke([token(guest, { subject: member.did, action: 'revoke', nonce: chain.nonce })])
      return invoke(by, [invocation({ chain })])
    }
  },
  {
    source: '§6.5',
    says: 'a revoked token cannot be anchored',
    code: 'UCAN_REVOKED',
    provoke: () => {
      const by = context()
      const anchor = token(owner, { subject: network.did })
      by.anchors.addRevoke([token(owner, { ...anchor, action: 'revoke', signature: undefined })])
      return codesOf(by.anchors.addRequire([anchor]))
    }
  },
  {
    source: '§6.5',
    says: 'an expired revocation is refused',
    code: 'UCAN_EXPIRED',
    provoke: () =>
      codesOf(
        context().anchors.addRevoke([
          token(owner, { subject: member.did, action: 'revoke', expiresAtNs: NOW_NS - 1n })
        ])
      )
  }
]

/** Anchors and admission (§7.2, §7.3). */
export const anchorRules: readonly Rule[] = [
  {
    source: '§7.2',
    says: 'an invocation cannot be anchored',
    code: 'UCAN_NOT_DELEGATION',
    provoke: () =>
      codesOf(context().anchors.addRequire([token(owner, { subject: network.did, action: 'invoke' })]))
  },
  {
    source: '§7.2',
    says: 'a provide anchor given to somebody else is refused (stricter)',
    code: 'UCAN_NOT_FOR_OWNER',
    provoke: () => codesOf(context().anchors.addProvide([token(network, { subject: guest.did })]))
  },
  {
    source: '§7.2',
    says: 'an anchor that does not verify is refused',
    code: 'UCAN_SIGNATURE',
    provoke: () =>
      codesOf(
        context().anchors.addRequire([token(owner, { subject: network.did, signature: new Uint8Array(64) })])
      )
  },
  {
    source: '§7.2',
    says: 'of several anchors none is added when some are refused',
    code: 'UCAN_ANCHOR_REFUSED',
    provoke: () =>
      codesOf(
        context().anchors.addProvide([
          token(network, { subject: owner.did }),
          token(network, { subject: guest.did }),
          token(network, { subject: member.did })
        ])
      )
  },
  {
    source: '§7.2',
    says: 'anchors are bounded',
    code: 'UCAN_TOO_MANY_ANCHORS',
    provoke: () =>
      codesOf(
        new TrustAnchors({ clock: new VirtualClock() }, { owner: owner.did, maxAnchors: 1 }).addRequire([
          token(owner, { subject: network.did }),
          token(owner, { subject: guest.did })
        ])
      )
  },
  {
    source: '§7.2',
    says: 'revocations are bounded',
    code: 'UCAN_TOO_MANY_ANCHORS',
    provoke: () =>
      codesOf(
        new TrustAnchors({ clock: new VirtualClock() }, { owner: owner.did, maxAnchors: 0 }).addRevoke([
          token(owner, { subject: network.did, action: 'revoke' })
        ])
      )
  },
  {
    source: '§7.3',
    says: 'a chain nobody here trusts is refused',
    code: 'UCAN_NOT_ANCHORED',
    provoke: () => invoke(context(), [invocation()])
  },
  {
    source: '§7.3',
    says: 'a chain with the owner among its issuers is admitted',
    code: 'ok',
    provoke: () =>
      invoke(context(), [
        invocation({ chain: token(owner, { subject: member.did, capabilities: ['/public'] }) })
      ])
  },
  {
    source: '§7.3',
    says: 'a chain with a root among its issuers is admitted',
    code: 'ok',
    provoke: () => {
      const by = context()
      by.anchors.addRoot(network.did)
      return invoke(by, [
        invocation({ chain: token(network, { subject: member.did, capabilities: ['/public'] }) })
      ])
    }
  },
  {
    source: '§7.3',
    says: 'a root that is only a subject admits nothing',
    code: 'UCAN_NOT_ANCHORED',
    provoke: () => {
      const by = context()
      by.anchors.addRoot(actor.did)
      return invoke(by, [invocation()])
    }
  },
  {
    source: '§7.3',
    says: 'a require anchor admits a chain of its subject',
    code: 'ok',
    provoke: () => throughAnchor({})
  },
  {
    source: '§7.3',
    says: 'a require anchor that ends before the token does not admit it',
    code: 'UCAN_ANCHOR_EXPIRY',
    provoke: () => throughAnchor({ expiresAtNs: SOON_NS - 1n })
  },
  {
    source: '§7.3',
    says: 'a require anchor does not admit its subject deeper than its depth',
    code: 'UCAN_ANCHOR_DEPTH',
    provoke: () => {
      const chain = token(guest, {
        subject: member.did,
        capabilities: ['/public'],
        chain: token(network, { subject: guest.did, capabilities: ['/public'] })
      })
      return throughAnchor({ depth: 1n }, { chain })
    }
  },
  {
    source: '§7.3',
    says: 'a require anchor admits its subject at its depth, the leaf being 0',
    code: 'ok',
    provoke: () => throughAnchor({ depth: 1n })
  },
  {
    source: '§7.3',
    says: 'a require anchor for another audience does not admit',
    code: 'UCAN_ANCHOR_AUDIENCE',
    provoke: () => throughAnchor({ audience: guest.did })
  },
  {
    source: '§7.3',
    says: 'a require anchor for one audience does not admit a token for anyone',
    code: 'UCAN_ANCHOR_AUDIENCE',
    provoke: () => throughAnchor({ audience: owner.did }, { audience: undefined })
  },
  {
    source: '§7.3',
    says: 'where an issuer stands more than once in a chain, its deepest place counts',
    code: 'UCAN_ANCHOR_DEPTH',
    provoke: () => {
      const first = token(network, { subject: member.did, capabilities: ['/public'] })
      const back = token(member, { subject: network.did, capabilities: ['/public'], chain: first })
      const again = token(network, { subject: member.did, capabilities: ['/public'], chain: back })
      return throughAnchor({ depth: 2n }, { chain: again })
    }
  },
  {
    source: '§7.3',
    says: 'a require anchor covers all capabilities of the token or does not admit it',
    code: 'UCAN_ANCHOR_CAPABILITY',
    provoke: () => throughAnchor({}, { capabilities: [HELLO, '/private'] })
  },
  {
    source: '§7.3',
    says: 'a require anchor without capabilities admits nothing',
    code: 'UCAN_ANCHOR_CAPABILITY',
    provoke: () => throughAnchor({ capabilities: null })
  },
  {
    source: '§7.3',
    says: 'a require anchor covers all topics of the token or does not admit it',
    code: 'UCAN_ANCHOR_TOPIC',
    provoke: () => throughAnchor({ topics: ['/other'] }, { topics: ['/nunet'] })
  },
  {
    source: '§7.3',
    says: 'a require anchor that was revoked admits nothing',
    code: 'UCAN_NOT_ANCHORED',
    provoke: () => {
      const by = context()
      const anchor = token(owner, { subject: member.did, capabilities: ['/public'] })
      by.anchors.addRequire([anchor])
      by.anchors.addRevoke([token(owner, { ...anchor, action: 'revoke', signature: undefined })])
      return invoke(by, [invocation()])
    }
  }
]
