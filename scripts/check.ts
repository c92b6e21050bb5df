/** `npm run check`: type check, lint and format, architecture. Runs all three and fails when one does. */

import { ARCHITECTURE, LINT, runChecks, TYPE_CHECK } from './testing/checks.ts'

const controller = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort())
const failed = await runChecks([TYPE_CHECK, LINT, ARCHITECTURE], controller.signal)
process.stdout.write(failed.length === 0 ? 'all checks passed\n' : `failed: ${failed.join(', ')}\n`)
process.exitCode = failed.length === 0 ? 0 : 1
