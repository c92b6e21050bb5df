import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { effectOf, renewalOf, showLeft } from '../../../../src/dms/expiry/index.ts'
import { HOUR_NS, identity, NOW_NS, token } from '../../lib/parties.ts'

const owner = identity('node')
const organisation = identity('organisation')
const branch = identity('branch')
const here = { owner: owner.did, context: 'dms' }

describe('the way to renew a token', () => {
  it('of our own powers begins with whoever gave them', () => {
    const given = token(organisation, {
      subject: owner.did,
      capabilities: ['/dms/deployment', '/public'],
      topics: ['/nunet'],
      depth: 2n
    })
    assert.deepEqual(renewalOf('provide', given, here), [
      {
        by: organisation.did,
        command: `nunet cap grant -c <context> --cap /dms/deployment --cap /public --topic /nunet --depth 2 --expiry <date> ${owner.did}`
      },
      { by: owner.did, command: 'nunet cap anchor -c dms --provide <token>' }
    ])
  })

  it('of what we let others do is in our own hands', () => {
    const anchor = token(owner, { subject: organisation.did, capabilities: ['/a'], audience: owner.did })
    assert.deepEqual(renewalOf('require', anchor, here), [
      {
        by: owner.did,
        command: `nunet cap grant -c dms --cap /a --audience ${owner.did} --expiry <date> ${organisation.did}`
      },
      { by: owner.did, command: 'nunet cap anchor -c dms --require <token>' }
    ])
  })

  it('begins further up where those who gave it can give no longer life', () => {
    const end = NOW_NS + HOUR_NS
    const top = token(organisation, { subject: branch.did, expiresAtNs: end })
    const leaf = token(branch, { subject: owner.did, expiresAtNs: end, chain: top })
    const parties = renewalOf('provide', leaf, here).map(({ by, command }) => [by, command.split(' -c')[0]])
    assert.deepEqual(parties, [
      [organisation.did, 'nunet cap grant'],
      [branch.did, 'nunet cap anchor'],
      [branch.did, 'nunet cap delegate'],
      [owner.did, 'nunet cap anchor']
    ])
    const longer = { ...leaf, chain: { ...top, expiresAtNs: end + 1n } }
    assert.equal(renewalOf('provide', longer, here).length, 2)
  })

  it('is safe to paste and to look at, whatever names a token holds', () => {
    const nasty = token(organisation, {
      subject: owner.did,
      capabilities: ["/a'; rm -rf ~ #", '/b\n/c\u202e\u001b[31m', '/$HOME']
    })
    const command = renewalOf('provide', nasty, here)[0]?.command ?? ''
    assert.ok(command.includes(`--cap '/a'\\''; rm -rf ~ #' `))
    assert.ok(command.includes(`--cap '/b\\u{a}/c\\u{202e}\\u{1b}[31m'`))
    assert.ok(command.includes("--cap '/$HOME'"))
    const control = /[\p{Cc}\p{Cf}]/u
    assert.doesNotMatch(command, control)
    assert.doesNotMatch(effectOf('provide', nasty), control)
  })

  it('does not repeat a page of names', () => {
    const capabilities = Array.from({ length: 256 }, (_, index) => `/${'x'.repeat(1000)}${index}`)
    const long = token(organisation, { subject: owner.did, capabilities })
    assert.ok((renewalOf('provide', long, here)[0]?.command ?? '').includes('--cap <as before> --expiry'))
    assert.ok(effectOf('provide', long).length < 1200)
    assert.match(effectOf('provide', long), /and 248 more from here|and 248 more/)
  })
})

describe('the effect of an end', () => {
  it('names who may no longer do what', () => {
    const own = token(organisation, { subject: owner.did, topics: ['/nunet'] })
    assert.equal(effectOf('provide', own), "others no longer accept '/a' with topics '/nunet' from here")
    const theirs = token(owner, { subject: organisation.did })
    assert.equal(effectOf('require', theirs), `${organisation.did} may no longer use '/a' here`)
  })

  it('is so many days and hours away', () => {
    assert.equal(showLeft(30 * 86_400_000 - 1), '29 d 23 h')
    assert.equal(showLeft(3_600_000), '1 h 0 m')
  })
})
