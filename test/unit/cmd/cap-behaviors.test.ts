/** What `actor cmd /dms/cap/…` sends: tokens with every digit, and nothing that is no token (cli-api-config §3). */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodePayload } from '../../../src/actor/message/index.ts'
import { capabilities } from '../../../src/cmd/actor/cmd/capabilities.ts'
import type { PayloadSource } from '../../../src/cmd/actor/cmd/types.ts'
import { type FlagValues, parseFlags } from '../../../src/cmd/cli/flags.ts'
import { formatToken } from '../../../src/lib/ucan/index.ts'
import { identity, NOW_NS, token } from '../lib/parties.ts'

const alice = identity('alice')

/** Its expiry has digits that a JavaScript number loses. */
const TOKEN = formatToken(token(alice, { subject: alice.did, expiresAtNs: NOW_NS + 7n }))

/** The bytes of the payload as text. */
async function sent(path: string, ...args: string[]): Promise<string> {
  const row = capabilities.find(each => each.path === path) ?? assert.fail(path)
  const parsed = parseFlags(row.flags ?? {}, args)
  const flags = Object.fromEntries(parsed.values) as FlagValues<Record<string, never>> // read by this very table
  const source = {} as PayloadSource // not used by these rows
  const payload: unknown =
    row.prepare === undefined
      ? row.payload?.(flags, parsed.given)
      : await (await row.prepare()).make(flags, source)
  return Buffer.from(encodePayload(payload)).toString()
}

describe('a behaviour that takes a token', () => {
  for (const path of [
    '/dms/cap/require/anchor',
    '/dms/cap/provide/anchor',
    '/dms/cap/revoke/anchor',
    '/dms/cap/revoke/broadcast'
  ]) {
    it(`${path} gets a single token or a list as a list, each digit kept`, async () => {
      assert.equal(await sent(path, '--token', TOKEN), `{"Token":{"tok":[${TOKEN}]}}`)
      assert.equal(await sent(path, '--token', `{"tok":[${TOKEN}]}`), `{"Token":{"tok":[${TOKEN}]}}`)
      await assert.rejects(sent(path, '--token', '{"dms":{}}'), /not a token/)
    })
  }

  it('in its older form names the kind of anchor', async () => {
    const path = '/dms/cap/anchor'
    assert.equal(await sent(path, '--require', '--data', TOKEN), `{"Require":{"tok":[${TOKEN}]}}`)
    assert.equal(await sent(path, '--provide', '--data', TOKEN), `{"Provide":{"tok":[${TOKEN}]}}`)
    assert.equal(await sent(path, '--revoke', '--data', TOKEN), `{"Revoke":{"tok":[${TOKEN}]}}`)
    assert.equal(await sent(path, '--root', '--data', alice.did), `{"Root":[{"uri":"${alice.did}"}]}`)
    await assert.rejects(sent(path, '--root', '--data', TOKEN), /is not a DID/)
  })
})

describe('a behaviour about anchors and revocations', () => {
  it('gets what its flags say', async () => {
    assert.equal(await sent('/dms/cap/root/anchor', '--did', alice.did), `{"DID":[{"uri":"${alice.did}"}]}`)
    assert.equal(await sent('/dms/cap/revocation/status'), '')
    assert.equal(
      await sent('/dms/cap/revocation/list', '--limit', '5', '--offset', '2'),
      '{"Limit":5,"Offset":2}'
    )
    assert.equal(await sent('/dms/cap/list', '-c', 'dms'), '{"Context":"dms"}')
  })
})
