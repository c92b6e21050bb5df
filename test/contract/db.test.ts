import { after } from 'node:test'
import { openDatabase } from '../../src/db/index.ts'
import { VirtualClock } from '../../src/utils/index.ts'
import { MemoryLog, temporaryDirectory } from '../utils/index.ts'
import { databaseContract } from './db.suite.ts'

const deps = { clock: new VirtualClock(), log: new MemoryLog() }
const directory = await temporaryDirectory()
let files = 0

after(() => directory[Symbol.asyncDispose]())

databaseContract('in memory', { open: () => openDatabase(deps, { path: ':memory:' }) })
databaseContract('in a file', {
  open: () => openDatabase(deps, { path: directory.join(`${files++}`, 'dms.sqlite') })
})
