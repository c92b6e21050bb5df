/** A node whose powers end says so wherever somebody looks, also after a restart, until they are renewed. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Lab, type LabNode, readPath } from '../../scripts/lab/lab.ts'
import { until } from './support.ts'

/** Over soon after the daemon has started, or before. */
const SHORT = '12s'

describe('a node whose capability ends', () => {
  const lab = new Lab()
  let node: LabNode

  before(async () => {
    node = await lab.createNode('node')
    await node.createIdentities()
    await node.run(['cap', 'new', 'acme'])
    await use(SHORT)
    await node.start()
  })
  after(() => lab[Symbol.asyncDispose]())

  async function use(duration: string): Promise<void> {
    const words = ['cap', 'grant', '-c', 'acme', '--cap', '/dms/deployment', '--topic', '/nunet']
    const token = await node.run([...words, '--duration', duration, node.dmsDid])
    await node.run(['cap', 'anchor', '-c', 'dms', '--provide', token])
  }

  async function status(): Promise<unknown> {
    return readPath(await node.cmd('/public/status'), ['Capabilities', 'Status'])
  }

  it('says that it ended, with what stops and who renews it', async () => {
    await until('the capability ended', async () => (await status()) === 'expired')
    const all = await node.cmd('/public/status')
    assert.equal(readPath(all, ['Capabilities', 'Issues']), undefined, 'not for everybody who may ask')
    const reply = Object.values(await node.cmd('/dms/node/status'))[0]
    const issue = readPath(reply, ['capabilities', 'Issues', '0'])
    assert.equal(
      readPath(issue, ['Effect']),
      "others no longer accept '/dms/deployment' with topics '/nunet' from here"
    )
    assert.match(
      String(readPath(issue, ['Renewal', '0', 'Command'])),
      /^nunet cap grant -c <context> --cap \/dms\/deploy/
    )
    assert.match(String(readPath(issue, ['Renewal', '1', 'Command'])), /^nunet cap anchor -c dms --provide/)
  })

  it('is not well to a doctor, and ps says so beside its table', async () => {
    const doctor = await node.try(['doctor'])
    assert.equal(doctor.code, 1)
    assert.match(
      doctor.stdout,
      /^fail {2}capabilities +one ended 2\d{3}-.*others no longer accept '\/dms\/deployment'/m
    )
    assert.match(doctor.stdout, /^fail {2}accepted by others +all 1 provide tokens have ended/m)
    const ps = await node.try(['ps'])
    assert.equal(ps.code, 0)
    assert.match(ps.stderr, /^warning: a capability of the node ended 2/m)
  })

  it('remembers it over a restart and says so when it is ready', async () => {
    await node.stop()
    await node.start()
    assert.match(
      node.output,
      /ready in [^\n]*\nwarning: a capability ended 2\d{3}-[^\n]*\nhint: 'nunet doctor'/
    )
    assert.equal(await status(), 'expired')
  })

  it('is well as soon as a new token is anchored, without a restart', async () => {
    await use('2160h')
    await until('the node is well', async () => (await status()) === 'healthy')
    assert.match((await node.try(['doctor'])).stdout, /^ok {4}capabilities +none ends soon/m)
    assert.doesNotMatch((await node.try(['ps'])).stderr, /warning/)
  })
})
