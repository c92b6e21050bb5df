/** All steps of the schema, oldest first. A new one is added at the end and never reordered. */
import { initial } from './0001-initial.ts'
import { revocations } from './0002-revocations.ts'
import type { Migration } from './migration.ts'

export type { Migration } from './migration.ts'

export const MIGRATIONS: readonly Migration[] = [initial, revocations]
