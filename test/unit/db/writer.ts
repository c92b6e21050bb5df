/** Run as a process of its own: opens the database, then writes events for ever and prints each one that is on disk. */
import { openDatabase } from '../../../src/db/index.ts'
import { errorCode, systemClock } from '../../../src/utils/index.ts'
import { MemoryLog } from '../../utils/index.ts'

try {
  const db = openDatabase({ clock: systemClock, log: new MemoryLog() }, { path: process.argv[2] ?? '' })
  process.stdout.write('open\n')
  const write = (): void => {
    const { sequence } = db.events.append({
      deploymentId: 'a',
      atMs: 1,
      type: 'status',
      data: { text: 'x'.repeat(500) }
    })
    process.stdout.write(`${sequence}\n`)
    setImmediate(write)
  }
  write()
} catch (error) {
  process.stdout.write(`${errorCode(error)}\n`)
}
