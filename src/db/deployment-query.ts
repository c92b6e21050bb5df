/** Turns a `DeploymentQuery` into SQL. Names come from fixed tables, values are always bound. */

import type { SqlValue } from './connection.ts'
import { MAX_QUERY_TERMS } from './constants.ts'
import { DatabaseError } from './errors.ts'
import type { DeploymentQuery, DeploymentStatus } from './types.ts'

/** In the order of the numbers the existing system stores (deployment §2.3): the order of sorting by status. */
export const DEPLOYMENT_STATUSES: readonly DeploymentStatus[] = [
  'Preparing',
  'Generating',
  'Committing',
  'Provisioning',
  'Running',
  'Failed',
  'ShuttingDown',
  'Completed',
  'Updating'
]

const STATUS_ORDER = `CASE status ${DEPLOYMENT_STATUSES.map((status, rank) => `WHEN '${status}' THEN ${rank}`).join(' ')} END`

/** Sort field to SQL expression. */
const SORT_FIELDS: ReadonlyMap<string, string> = new Map([
  ['created_at', 'created_at_ms'],
  ['updated_at', 'updated_at_ms'],
  ['status', STATUS_ORDER],
  ['id', 'id']
])

/** Parts of the statement; `limit` -1 means none, as in SQLite. */
export interface DeploymentSql {
  readonly where: string
  readonly order: string
  readonly values: readonly SqlValue[]
  readonly limit: number
  readonly offset: number
}

/** @throws DatabaseError `DB_QUERY` for an unknown sort field or a number that makes no sense. */
export function buildDeploymentQuery(query: DeploymentQuery): DeploymentSql {
  const conditions: string[] = []
  const values: SqlValue[] = []
  const add = (condition: string, ...bound: SqlValue[]): void => {
    conditions.push(condition)
    values.push(...bound)
  }
  const statuses = [...new Set(query.status ?? [])]
  const metadata = Object.entries(query.metadata ?? {})
  if (statuses.length + metadata.length > MAX_QUERY_TERMS) {
    throw new DatabaseError(
      'DB_QUERY',
      `a search may name at most ${MAX_QUERY_TERMS} statuses and metadata pairs`
    )
  }
  if (statuses.length > 0) add(`status IN (${statuses.map(() => '?').join(', ')})`, ...statuses)
  for (const [key, value] of metadata) {
    add(
      'EXISTS (SELECT 1 FROM json_each(metadata) WHERE json_each.key = ? AND json_each.value = ?)',
      key,
      value
    )
  }
  if (query.createdAfterMs !== undefined) add('created_at_ms > ?', query.createdAfterMs)
  if (query.createdBeforeMs !== undefined) add('created_at_ms < ?', query.createdBeforeMs)
  if (query.updatedAfterMs !== undefined) add('updated_at_ms > ?', query.updatedAfterMs)
  if (query.updatedBeforeMs !== undefined) add('updated_at_ms < ?', query.updatedBeforeMs)
  return {
    where: conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '',
    order: orderBy(query.sort ?? '-created_at'),
    values,
    limit: count('limit', query.limit ?? 0) || -1,
    offset: count('offset', query.offset ?? 0)
  }
}

/** The id decides between equal ones, so that paging neither repeats nor skips. */
function orderBy(sort: string): string {
  const descending = sort.startsWith('-')
  const expression = SORT_FIELDS.get(descending ? sort.slice(1) : sort)
  if (expression === undefined) {
    throw new DatabaseError('DB_QUERY', `'${sort}' is not a field to sort by`, {
      hint: `use one of ${[...SORT_FIELDS.keys()].join(', ')}, with a leading '-' for descending order`
    })
  }
  const direction = descending ? 'DESC' : 'ASC'
  return `ORDER BY ${expression} ${direction}, id ${direction}`
}

function count(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new DatabaseError('DB_QUERY', `${name} '${value}' is not a whole number from 0`)
}
