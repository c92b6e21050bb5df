import { isTextList, present, RowReader, toJson } from '../columns.ts'
import type { Connection, Row } from '../connection.ts'
import { MAX_GRANT_BASES } from '../constants.ts'
import type { RevocationRecord, RevocationRepository } from '../types.ts'

/** Revocations with what is known about them, how current that is, and what dynamic grants rest on. */
export class SqliteRevocations implements RevocationRepository {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  list(): RevocationRecord[] {
    return this.#connection.all('SELECT * FROM revocations ORDER BY learnt_at_ms, key').map(toRecord)
  }

  find(key: string): RevocationRecord | undefined {
    const row = this.#connection.get('SELECT * FROM revocations WHERE key = ?', key)
    return row && toRecord(row)
  }

  save(records: readonly RevocationRecord[]): void {
    this.#connection.transaction(() => {
      for (const { key, revocation, proof, learntFrom, learntAtMs } of records)
        this.#connection.run(
          'INSERT OR REPLACE INTO revocations (key, revocation, proof, learnt_from, learnt_at_ms) VALUES (?, ?, ?, ?, ?)',
          key,
          revocation,
          proof ?? null,
          learntFrom,
          learntAtMs
        )
    })
  }

  delete(keys: readonly string[]): void {
    this.#connection.transaction(() => {
      for (const key of keys) this.#connection.run('DELETE FROM revocations WHERE key = ?', key)
    })
  }

  currentAtMs(): number | undefined {
    const row = this.#connection.get('SELECT current_at_ms FROM revocation_knowledge')
    return row && new RowReader('revocation_knowledge', row).number('current_at_ms')
  }

  saveCurrentAtMs(currentAtMs: number): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO revocation_knowledge (id, current_at_ms) VALUES (1, ?)',
      currentAtMs
    )
  }

  basisOf(subject: string): readonly string[] | undefined {
    const row = this.#connection.get('SELECT links FROM grant_bases WHERE subject = ?', subject)
    return row && new RowReader('grant_bases', row).jsonOf('links', isTextList)
  }

  saveBasis(subject: string, links: readonly string[], seenAtMs: number): void {
    this.#connection.transaction(() => {
      this.#connection.run(
        'INSERT OR REPLACE INTO grant_bases (subject, links, seen_at_ms) VALUES (?, ?, ?)',
        subject,
        toJson(links),
        seenAtMs
      )
      this.#connection.run(
        'DELETE FROM grant_bases WHERE subject IN (SELECT subject FROM grant_bases ORDER BY seen_at_ms DESC LIMIT -1 OFFSET ?)',
        MAX_GRANT_BASES
      )
    })
  }
}

function toRecord(row: Row): RevocationRecord {
  const reader = new RowReader('revocations', row)
  return {
    key: reader.text('key'),
    revocation: reader.text('revocation'),
    ...present('proof', reader.optionalText('proof')),
    learntFrom: reader.text('learnt_from'),
    learntAtMs: reader.number('learnt_at_ms')
  }
}
