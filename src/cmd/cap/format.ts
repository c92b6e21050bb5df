import { UsageError } from '../cli/errors.ts'

/** The form in which something is shown. @throws UsageError */
export function readFormat(text: string): 'text' | 'json' {
  if (text === 'table') return 'text' // what other commands call it
  if (text === 'text' || text === 'json') return text
  throw new UsageError(`unknown output format '${text}'`, { hint: "choose 'text' or 'json'" })
}
