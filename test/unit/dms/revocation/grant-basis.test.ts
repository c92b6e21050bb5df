import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GrantBasis } from '../../../../src/dms/revocation/grant-basis.ts'
import { revocationKey } from '../../../../src/lib/ucan/index.ts'
import { Emitter, VirtualClock } from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'
import { identity, token } from '../../lib/parties.ts'

const [organisation, member] = [identity('organisation'), identity('member')]
const given = token(organisation, { subject: member.did })
const proof = token(member, { subject: member.did, action: 'invoke', chain: given })

function setUp(stored = new Map<string, readonly string[]>()) {
  const [added, revoked] = [new Emitter<readonly string[]>(), new Set<string>()]
  const basis = new GrantBasis({
    registry: { isRevoked: key => revoked.has(key), onAdded: listener => added.on(listener) },
    records: {
      basisOf: subject => stored.get(subject),
      saveBasis: (subject, links) => void stored.set(subject, links)
    },
    clock: new VirtualClock(),
    log: new MemoryLog()
  })
  const revoke = (key: string): void => {
    revoked.add(key)
    added.emit([key])
  }
  return { basis, revoke, stored, added }
}

/** A grant that counts how often it was taken back. */
function counted() {
  const grant = { count: 0, revoke: () => void grant.count++ }
  return grant
}

describe('a dynamic grant', () => {
  it('ends when a link of the chain that let its subject in is revoked, and only then', () => {
    const { basis, revoke } = setUp()
    const [ended, other] = [counted(), counted()]
    basis.remember(member.did, proof)
    basis.keep(member.did, ended)
    basis.keep(organisation.did, other)
    revoke('something else')
    assert.equal(ended.count, 0)
    revoke(revocationKey(given))
    revoke(revocationKey(proof))
    assert.deepEqual([ended.count, other.count], [1, 0])
  })

  it('is not given anew on what was revoked, also not by a node that was started again', () => {
    const { basis, revoke, stored } = setUp()
    basis.check(member.did)
    basis.remember(member.did, proof)
    basis.check(member.did)
    revoke(revocationKey(given))
    assert.throws(() => basis.check(member.did), { code: 'GRANT_REVOKED', hint: /new delegation/ })
    const again = setUp(stored)
    again.revoke(revocationKey(given))
    assert.throws(() => again.basis.check(member.did), { code: 'GRANT_REVOKED' })
    again.basis.remember(member.did, token(member, { subject: member.did, action: 'invoke' }))
    again.basis.check(member.did)
  })

  it('that its holder gave back is not kept in memory', () => {
    const { basis, revoke, added } = setUp()
    const grant = counted()
    basis.remember(member.did, proof)
    const kept = basis.keep(member.did, grant)
    const second = basis.keep(member.did, counted())
    kept.revoke()
    second.revoke()
    revoke(revocationKey(given))
    assert.equal(grant.count, 1)
    basis.stop()
    assert.equal(added.listenerCount, 0)
  })
})
