import { isResources, RowReader, toJson } from '../columns.ts'
import type { Connection } from '../connection.ts'
import type { OnboardingRecord, OnboardingRepository } from '../types.ts'

/** One row at most: what this machine offers. */
export class SqliteOnboarding implements OnboardingRepository {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get(): OnboardingRecord | undefined {
    const row = this.#connection.get('SELECT * FROM onboarding')
    if (row === undefined) return undefined
    const reader = new RowReader('onboarding', row)
    return {
      resources: reader.jsonOf('resources', isResources),
      onboardedAtMs: reader.number('onboarded_at_ms')
    }
  }

  save(record: OnboardingRecord): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO onboarding (id, resources, onboarded_at_ms) VALUES (1, ?, ?)',
      toJson(record.resources),
      record.onboardedAtMs
    )
  }

  clear(): void {
    this.#connection.run('DELETE FROM onboarding')
  }
}
