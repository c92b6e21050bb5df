/**
 * Reads and writes columns. A row comes from a file that anybody may have edited, so each reader checks what it
 * finds and answers `DB_CORRUPT` instead of handing a wrong value on.
 */

import type { Handle, Refusal, Resources } from '../types/index.ts'
import type { Row } from './connection.ts'
import { MAX_JSON_LENGTH } from './constants.ts'
import { DatabaseError } from './errors.ts'
import { corruptRow } from './sqlite-errors.ts'

/** Typed access to the columns of one row of `table`. */
export class RowReader {
  readonly #table: string
  readonly #row: Row

  constructor(table: string, row: Row) {
    this.#table = table
    this.#row = row
  }

  text(column: string): string {
    const value = this.#row[column]
    return typeof value === 'string' ? value : this.#fail(column)
  }

  optionalText(column: string): string | undefined {
    return this.#row[column] === null ? undefined : this.text(column)
  }

  number(column: string): number {
    const value = this.#row[column]
    return typeof value === 'number' ? value : this.#fail(column)
  }

  optionalNumber(column: string): number | undefined {
    return this.#row[column] === null ? undefined : this.number(column)
  }

  boolean(column: string): boolean {
    return this.number(column) !== 0
  }

  bytes(column: string): Uint8Array {
    const value = this.#row[column]
    return value instanceof Uint8Array ? value.slice() : this.#fail(column)
  }

  /** A text that is one of `choices`. */
  oneOf<T extends string>(column: string, choices: readonly T[]): T {
    const value = this.text(column)
    return choices.find(choice => choice === value) ?? this.#fail(column)
  }

  /** Any JSON value; `undefined` for SQL NULL. */
  json(column: string): unknown {
    if (this.#row[column] === null) return undefined
    const text = this.text(column)
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw corruptRow(this.#table, column, cause)
    }
  }

  /** A JSON value that `accepts` recognises. */
  jsonOf<T>(column: string, accepts: (value: unknown) => value is T): T {
    const value = this.json(column)
    return accepts(value) ? value : this.#fail(column)
  }

  optionalJsonOf<T>(column: string, accepts: (value: unknown) => value is T): T | undefined {
    return this.#row[column] === null ? undefined : this.jsonOf(column, accepts)
  }

  #fail(column: string): never {
    throw corruptRow(this.#table, column)
  }
}

/** Text of a JSON column; `undefined` becomes SQL NULL. @throws DatabaseError `DB_QUERY` for what JSON cannot hold. */
export function toJson(value: unknown): string | null {
  if (value === undefined) return null
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw new DatabaseError('DB_QUERY', 'a record holds a value that JSON cannot express', { cause })
  }
  if (text === undefined)
    throw new DatabaseError('DB_QUERY', 'a record holds a value that JSON cannot express')
  if (text.length > MAX_JSON_LENGTH) {
    throw new DatabaseError(
      'DB_QUERY',
      `a record holds ${text.length} characters of JSON, at most ${MAX_JSON_LENGTH} fit`
    )
  }
  return text
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isTextRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every(item => typeof item === 'string')
}

export function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}

export function isNumberList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(item => typeof item === 'number')
}

export function isResources(value: unknown): value is Resources {
  if (!isRecord(value)) return false
  const { cpu, ram, disk, gpus } = value
  if (!isRecord(cpu) || !isRecord(ram) || !isRecord(disk)) return false
  const { cores } = cpu
  const { size: ramBytes } = ram
  const { size: diskBytes } = disk
  const amounts = [cores, ramBytes, diskBytes]
  return amounts.every(Number.isFinite) && (gpus === undefined || Array.isArray(gpus))
}

export function isHandle(value: unknown): value is Handle {
  if (!isRecord(value)) return false
  const { id, did, address } = value
  if (!isRecord(address)) return false
  const { host, inbox } = address
  const parts = [id, did, host, inbox]
  return parts.every(part => typeof part === 'string')
}

export function isRefusal(value: unknown): value is Refusal {
  if (!isRecord(value)) return false
  const { code, message } = value
  return typeof code === 'string' && typeof message === 'string'
}

/** A member for spreading into a record: absent when there is no value, as the contracts have it. */
export function present<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V }) // a computed name widens to string
}
