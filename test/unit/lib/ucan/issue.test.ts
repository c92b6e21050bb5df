/** Why a token cannot back another: the words for each fault, where a context would never hold such a token. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Token } from '../../../../src/lib/ucan/index.ts'
import { type ChainRequest, chainFault, findChainFault } from '../../../../src/lib/ucan/issue.ts'
import { HOUR_NS, identity, NOW_NS, token } from '../parties.ts'

const [alice, bob] = [identity('alice'), identity('bob')]
const request: ChainRequest = {
  audience: undefined,
  topics: [],
  capabilities: ['/a'],
  expiresAtNs: NOW_NS + HOUR_NS,
  steps: 1n
}

describe('a token that is to back another', () => {
  test('is a delegation to the owner that covers what is asked', () => {
    assert.equal(findChainFault(token(alice, { subject: bob.did }), bob.did, request), undefined)
  })

  const faults: Record<string, [change: Partial<Token>, code: string, words: RegExp]> = {
    'another action': [{ action: 'invoke' }, 'UCAN_CHAIN_ACTION', /is for 'invoke'/],
    'another subject': [
      { subject: alice.did },
      'UCAN_CHAIN_ISSUER',
      /was given to did:key:.*, not to did:key:/
    ],
    'no capabilities': [{ capabilities: null }, 'UCAN_CAPABILITY_WIDENED', /covers nothing, not '\/a'/],
    'other capabilities, many of them': [
      { capabilities: Array.from({ length: 10 }, (_, index) => `/c${index}`) },
      'UCAN_CAPABILITY_WIDENED',
      /covers '\/c0', .* and 2 more, not '\/a'/
    ],
    'less time': [{ expiresAtNs: NOW_NS }, 'UCAN_CHAIN_EXPIRY', /ends at 20\d\d-.*, before 20\d\d-/]
  }
  for (const [name, [change, code, words]] of Object.entries(faults)) {
    test(`is refused with ${name}`, () => {
      const fault = chainFault(token(alice, { subject: bob.did, ...change }), bob.did, request)
      assert.equal(fault?.code, code)
      assert.match(fault?.message ?? '', words)
    })
  }

  test('a time beyond the calendar is told in nanoseconds', () => {
    const fault = chainFault(token(alice, { subject: bob.did }), bob.did, {
      ...request,
      expiresAtNs: 2n ** 64n
    })
    assert.match(fault?.message ?? '', /ends at 20\d\d-.*Z, before 2554-/)
    const far = chainFault(token(alice, { subject: bob.did }), bob.did, {
      ...request,
      expiresAtNs: 2n ** 80n
    })
    assert.match(far?.message ?? '', /before 1208925819614629174706176 ns/)
  })
})
