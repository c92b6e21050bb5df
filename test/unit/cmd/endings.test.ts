import assert from 'node:assert/strict'
import { utimes } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { VirtualClock } from '../../../src/utils/index.ts'
import { Home } from './harness.ts'

const DAY = 86_400_000
const START_MS = Date.UTC(2026, 0, 1)

/** A home whose user holds a delegation for `days` days, in a file that was written when it began. */
async function memberFor(days: number): Promise<{ home: Home; delegate: (day: number) => Promise<string> }> {
  const home = await Home.create()
  const clock = new VirtualClock(START_MS)
  const { did } = await home.addIdentity('user')
  await home.addIdentity('org')
  const grant = ['cap', 'grant', '-c', 'org', '--cap', '/public', '--duration', `${days * 24}h`, did]
  const token = (await home.run(grant, { clock })).out.trim()
  const anchored = await home.run(['cap', 'anchor', '-c', 'user', '--provide', token], { clock })
  assert.equal(anchored.code, 0, anchored.err)
  await utimes(home.join('.nunet/cap/user.cap'), START_MS / 1000, START_MS / 1000)
  return {
    home,
    delegate: async day => {
      const later = new VirtualClock(START_MS + day * DAY)
      const args = ['cap', 'delegate', '-c', 'user', '--cap', '/public', '--auto-expire', did]
      return (await home.run(args, { clock: later })).err
    }
  }
}

describe('a command that relies on a token', () => {
  it('warns once on standard error when it ends soon, and says who renews it how', async () => {
    const { home, delegate } = await memberFor(90)
    await using _home = home
    assert.equal(await delegate(1), '')
    assert.equal(await delegate(59), '')
    assert.match(
      await delegate(61),
      /^warning: in context 'user' a capability ends in 29 d 0 h \(2026-04-01T00:00:00\.000Z\): others no longer accept '\/public' from here\nhint: did:key:\S+ renews it: nunet cap grant -c <context> --cap \/public --expiry <date> did:key:\S+\n$/
    )
  })

  it('does not warn all day long of one that is made for a day', async () => {
    const { home, delegate } = await memberFor(1)
    await using _home = home
    assert.equal(await delegate(0.5), '')
    assert.match(await delegate(0.9), /ends in 2 h 24 m/)
  })

  it('says nothing of one that another covers', async () => {
    const { home, delegate } = await memberFor(90)
    await using _home = home
    const { did } = JSON.parse(await home.read('.nunet/cap/user.cap')) as { did: { uri: string } }
    const clock = new VirtualClock(START_MS)
    const grant = ['cap', 'grant', '-c', 'org', '--cap', '/', '--duration', '9000h', did.uri]
    const token = (await home.run(grant, { clock })).out.trim()
    await home.run(['cap', 'anchor', '-c', 'user', '--provide', token], { clock })
    await utimes(home.join('.nunet/cap/user.cap'), START_MS / 1000, START_MS / 1000)
    assert.equal(await delegate(80), '')
  })
})

describe('nunet doctor', () => {
  it('shows no context as well whose tokens have ended', async () => {
    const { home } = await memberFor(1)
    await using _home = home
    const clock = new VirtualClock(START_MS + 2 * DAY)
    const { out, code } = await home.run(['doctor', '--context', 'user', '--user', 'org'], { clock })
    assert.equal(code, 1)
    assert.match(out, /fail {2}accepted by others +all 1 provide tokens have ended/)
    assert.match(out, /warn {2}context 'user' +1 entries do not count/)
  })
})
