/** The knobs of the mock, as engine parameters of an ensemble's `execution`. */

import { z } from 'zod'
import { durationText } from '../params.ts'

const executorErrorCode = z.enum([
  'EXECUTOR_UNAVAILABLE',
  'EXECUTOR_IMAGE',
  'EXECUTOR_START_FAILED',
  'EXECUTOR_REFUSED',
  'EXECUTOR_NOT_RUNNING',
  'EXECUTOR_UNSUPPORTED'
])

/** Unknown keys are ignored, as every executor does (deployment §1.4.4). */
export const mockParams = z.object({
  /** How long it runs, or `forever`. Default: ends at once. */
  run_for: z.union([durationText, z.literal('forever')]).optional(),
  /** Code it exits with after `run_for`. Default 0. */
  exit_code: z.int().min(0).max(255).optional(),
  /** Written to the log files when it starts. */
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  /** The start throws: `true`, or the message. */
  fail_start: z.union([z.boolean(), z.string()]).optional(),
  /** Code of that error. Default `EXECUTOR_START_FAILED`. */
  fail_code: executorErrorCode.optional(),
  /** The start takes this long, or with `true` for ever, until its signal fires. */
  block_start: z.union([durationText, z.boolean()]).optional(),
  /** After this time it is killed from outside (exit code 137). */
  die: durationText.optional(),
  /** With `die`: the limit that killed it. */
  die_of: z.enum(['time', 'memory', 'output']).optional(),
  /** Nothing of it is left when a restarted daemon looks for it. */
  lost_on_recover: z.boolean().optional(),
  /** Takes no notice of the polite request to end, so `stop` has to kill it after its grace. */
  ignore_stop: z.boolean().optional(),
  /** What `exec` answers. Default 0 and nothing. */
  exec_exit_code: z.int().min(0).max(255).optional(),
  exec_stdout: z.string().optional()
})

/** The knobs as read; see `mockParams`. */
export type MockParams = z.infer<typeof mockParams>
