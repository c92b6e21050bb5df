/** What allocation records hold as JSON: schemas, so that a row is checked where it is read. */

import { z } from 'zod'
import type { AllocationRecord } from '../../db/index.ts'
import type { ExecutionHandle, ExecutionResult } from '../../executor/index.ts'
import { JobsError } from './errors.ts'
import { allocationRequestSchema } from './messages.ts'

const portMapping = z.record(z.string().regex(/^\d{1,5}$/), z.number().int().min(1).max(65_535))

/** `AllocationRecord.spec`. */
export const storedSpecSchema = z.object({
  /** The name under which the orchestrator sent it. */
  name: z.string(),
  request: allocationRequestSchema,
  /** Host port to workload port, as committed; empty when the node was restarted between commit and allocate. */
  portMapping
})
export type StoredSpec = z.infer<typeof storedSpecSchema>

/** A health check as ensembles write it (deployment §1.4.6), bounded. */
export const healthCheckSchema = z.object({
  type: z.enum(['command', 'http']),
  exec: z.preprocess(value => value ?? [], z.array(z.string().max(8192)).max(256)),
  endpoint: z.preprocess(value => value ?? '', z.string().max(2048)),
  response: z
    .object({ type: z.string().max(64).default(''), value: z.string().max(8192).default('') })
    .nullish()
    .transform(value => value ?? undefined)
})
export type HealthCheck = z.infer<typeof healthCheckSchema>

/**
 * Output of earlier executions of an allocation: `droppedBytes` of older ones that are gone, then `keptBytes` of the
 * last one before the present. Offsets of readers count on through restarts.
 */
const pastLog = z.object({ droppedBytes: z.number().int().min(0), keptBytes: z.number().int().min(0) })
export type PastLog = z.infer<typeof pastLog>

/** `AllocationRecord.startOptions`: what orchestrators told after the allocate message. */
export const storedOptionsSchema = z.object({
  /** Host port to workload port as given at start; absent before. */
  portMapping: portMapping.optional(),
  /** Names the workload can resolve. */
  hosts: z.record(z.string(), z.string()).default({}),
  healthCheck: healthCheckSchema.optional(),
  pastLogs: z.object({ stdout: pastLog, stderr: pastLog }).optional(),
  /** A shutdown was asked for and is not finished. */
  isTerminating: z.boolean().default(false)
})
export type StoredOptions = z.infer<typeof storedOptionsSchema>

const handleSchema: z.ZodType<ExecutionHandle> = z.object({
  executor: z.enum(['docker', 'wasm', 'firecracker', 'null', 'mock']),
  executionId: z.string().min(1),
  jobId: z.string(),
  resultsDirectory: z.string(),
  state: z.record(z.string(), z.unknown())
})

const resultSchema = z
  .object({
    exitCode: z.number().int(),
    killed: z.boolean(),
    limit: z.enum(['time', 'memory', 'output']).optional(),
    error: z.string()
  })
  .transform(
    ({ limit, ...rest }): ExecutionResult => ({ ...rest, ...(limit === undefined ? {} : { limit }) })
  )

export function specOf(record: AllocationRecord): StoredSpec {
  return read(record, storedSpecSchema, record.spec)
}

export function optionsOf(record: AllocationRecord): StoredOptions {
  return read(record, storedOptionsSchema, record.startOptions ?? {})
}

export function executionOf(record: AllocationRecord): ExecutionHandle | undefined {
  return record.execution == null ? undefined : read(record, handleSchema, record.execution)
}

export function resultOf(record: AllocationRecord): ExecutionResult | undefined {
  return record.result == null ? undefined : read(record, resultSchema, record.result)
}

function read<T>(record: AllocationRecord, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new JobsError('JOBS_RECORD_CORRUPT', `the record of allocation '${record.id}' cannot be read`, {
    cause: parsed.error,
    hint: 'remove the allocation; its workload will be removed as an orphan',
    details: { id: record.id }
  })
}
