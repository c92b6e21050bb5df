/** Reading of engine parameters: free maps out of ensemble files, so anything may be in them. */

import { z } from 'zod'

/** A Go duration such as `30s`, not negative. */
export const durationText = z
  .string()
  .regex(/^(\d+(\.\d*)?(ns|us|µs|μs|ms|s|m|h|d))+$|^0$/, "expected a duration such as '30s'")

/** Number of entries and characters an engine's lists may have: what Linux takes as argument list (128 KiB each). */
const MAX_LIST = 1024
const MAX_TEXT = 131_072

/** Text without NUL, which no argument or environment of a process can hold. */
export const plainText = z
  .string()
  .max(MAX_TEXT)
  .refine(text => !text.includes('\0'), 'expected text without a NUL character')

/** A list of arguments. */
export const argumentList = z.array(plainText).max(MAX_LIST)

/** `KEY=VALUE` entries (deployment §1.4.4). */
export const environmentList = z
  .array(plainText.regex(/^[A-Za-z_][A-Za-z0-9_]*=/, "expected 'NAME=value'"))
  .max(MAX_LIST)

/** One line per problem, with the path of the parameter. */
export function problemsOf(schema: z.ZodType, params: Readonly<Record<string, unknown>>): string[] {
  const result = schema.safeParse(params)
  if (result.success) return []
  return result.error.issues.map(
    issue => `'${issue.path.join('.') || 'params'}': ${lowerFirst(issue.message)}`
  )
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
