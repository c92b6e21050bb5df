/**
 * One run of the command line: signals are bound here and nowhere else, errors become one line and an exit code,
 * and the process ends because nothing is left running.
 */

import { errorCode, errorMessage, NuError, renderRefusal } from '../../utils/index.ts'
import type { Cli, CommandGroup } from './command.ts'
import { dispatch, type Plan } from './dispatch.ts'
import {
  BrokenPipeError,
  CommandError,
  exitCodeOf,
  InterruptedError,
  RefusedError,
  UsageError
} from './errors.ts'
import { oneLine, printable } from './printable.ts'

/** File descriptor (POSIX). */
const STANDARD_OUTPUT = 1

/** Makes the collaborators of a command, when one really runs. */
export type MakeCli = (options: {
  globals: ReadonlyMap<string, unknown>
  signal: AbortSignal
}) => Promise<Cli>

/** Runs a command line in this process; the result is its exit code. */
export async function runProcess(
  root: CommandGroup,
  argv: readonly string[],
  makeCli: MakeCli
): Promise<number> {
  const debug = argv.includes('--debug')
  try {
    const plan = await dispatch(root, argv)
    if (plan.type === 'run') return await runPlan(plan, makeCli, debug)
    if (plan.type === 'help') return writeHelp(plan.text)
    return reportError(plan.error, plan.exitCodes, debug)
  } catch (error) {
    return reportError(error, 'compatible', debug)
  }
}

async function runPlan(
  plan: Extract<Plan, { type: 'run' }>,
  makeCli: MakeCli,
  debug: boolean
): Promise<number> {
  const controller = new AbortController()
  using _listeners = bindProcess(controller)
  try {
    const code = await plan.run(await makeCli({ globals: plan.globals, signal: controller.signal }))
    await flushOutput()
    return code
  } catch (error) {
    return reportError(controller.signal.aborted ? controller.signal.reason : error, plan.exitCodes, debug)
  }
}

function reportError(error: unknown, kind: 'compatible' | 'human', debug: boolean): number {
  if (!(error instanceof InterruptedError || error instanceof BrokenPipeError)) {
    process.stderr.write(describeError(error, debug))
  }
  return exitCodeOf(error, kind)
}

/** Written in one call: the stream of the process takes longer to set up than help takes to make. */
function writeHelp(text: string): number {
  try {
    process.getBuiltinModule('node:fs').writeSync(STANDARD_OUTPUT, text)
    return 0
  } catch (error) {
    // A pipe that is full for the moment is the stream's to wait for.
    if (errorCode(error) === 'EAGAIN') process.stdout.write(text)
    else throw outputError(error)
    return 0
  }
}

/** A reader that has gone away is no failure, a full disk is. */
function outputError(error: unknown): NuError {
  if (errorCode(error) === 'EPIPE') return new BrokenPipeError('nobody reads the output')
  return new CommandError(`cannot write the output: ${errorCode(error) ?? errorMessage(error)}`, {
    cause: error,
    hint: 'free some space, or write elsewhere'
  })
}

/** Resolves when what was written has left the process. @throws what kept it from leaving. */
async function flushOutput(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  process.stdout.write('', error => (error ? reject(outputError(error)) : resolve()))
  await promise
}

/** Ctrl-C and SIGTERM fire the signal once; a second Ctrl-C finds the default again and kills. */
function bindProcess(controller: AbortController): Disposable {
  const onInterrupt = (): void => controller.abort(new InterruptedError('SIGINT'))
  const onTerminate = (): void => controller.abort(new InterruptedError('SIGTERM'))
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    controller.abort(outputError(error))
  }
  process.once('SIGINT', onInterrupt).once('SIGTERM', onTerminate)
  process.stdout.on('error', onOutputError)
  process.stderr.on('error', () => undefined)
  return {
    [Symbol.dispose]() {
      process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate)
      // The listeners on the streams stay: the last write may still fail after the command has ended.
    }
  }
}

/** `Error: …`, the tree of reasons of a refusal, and the hint. */
export function describeError(error: unknown, debug: boolean): string {
  const lines = [`Error: ${oneLine(errorMessage(error)) || 'unknown'}`]
  if (error instanceof RefusedError) lines.push(printable(renderRefusal(error.refusal)))
  if (error instanceof NuError && error.hint !== undefined) lines.push(`hint: ${oneLine(error.hint)}`)
  if (!(error instanceof NuError) && !debug)
    lines.push('hint: this is a fault of the program; run again with --debug and report it')
  if (debug && error instanceof Error && !(error instanceof UsageError)) lines.push(error.stack ?? '')
  return `${lines.join('\n')}\n`
}
