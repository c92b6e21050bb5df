import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { takeReloadSignal } from '../../../src/daemon/reload-signal.ts'
import { MemoryLog } from '../../utils/index.ts'

describe('the reload signal', () => {
  it('that came before the daemon was ready is answered when it is', () => {
    using signal = takeReloadSignal(new MemoryLog())
    process.emit('SIGUSR1')
    let reloads = 0
    signal.handle(async () => void reloads++)
    assert.equal(reloads, 1)
    process.emit('SIGUSR1')
    assert.equal(reloads, 2)
  })

  it('whose reload fails is a warning', async () => {
    const log = new MemoryLog()
    using signal = takeReloadSignal(log)
    signal.handle(() => Promise.reject(new Error('unreadable')))
    process.emit('SIGUSR1')
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(
      log.entries.map(entry => [entry.level, entry.fields['reason']]),
      [['warn', 'unreadable']]
    )
  })

  it('is given back', () => {
    const before = process.listenerCount('SIGUSR1')
    takeReloadSignal(new MemoryLog())[Symbol.dispose]()
    assert.equal(process.listenerCount('SIGUSR1'), before)
  })
})
