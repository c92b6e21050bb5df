/**
 * One run of the command line: signals are bound here and nowhere else, errors become one line and an exit code,
 * and the process ends because nothing is left running.
 */

import type { Cli, CommandGroup } from './command.ts'
import { dispatch, type Plan } from './dispatch.ts'
import { BrokenPipeError, exitCodeOf, InterruptedError, RefusedError, UsageError } from './errors.ts'

/** Runs a command line in this process; the result is its exit code. */
export async function runProcess(root: CommandGroup, argv: readonly string[]): Promise<number> {
  const controller = new AbortController()
  using _listeners = bindProcess(controller)
  const debug = argv.includes('--debug')
  let kind: 'compatible' | 'human' = 'compatible'
  try {
    const plan = await dispatch(root, argv)
    kind = plan.type === 'help' ? kind : plan.exitCodes
    if (plan.type === 'mistake') throw plan.error
    if (plan.type === 'help') {
      process.stdout.write(plan.text)
      return 0
    }
    return await runCommand(plan, controller.signal)
  } catch (error) {
    const reason: unknown = controller.signal.aborted ? controller.signal.reason : error
    if (!(reason instanceof InterruptedError || reason instanceof BrokenPipeError)) {
      process.stderr.write(await describeError(reason, debug))
    }
    return exitCodeOf(reason, kind)
  }
}

async function runCommand(plan: Extract<Plan, { type: 'run' }>, signal: AbortSignal): Promise<number> {
  const { createSystemCli } = await import('./system-cli.ts')
  const cli: Cli = createSystemCli({ globals: plan.globals, signal })
  return await plan.run(cli)
}

/** Ctrl-C and SIGTERM fire the signal once; a second Ctrl-C finds the default again and kills. */
function bindProcess(controller: AbortController): Disposable {
  const onInterrupt = (): void => controller.abort(new InterruptedError('SIGINT'))
  const onTerminate = (): void => controller.abort(new InterruptedError('SIGTERM'))
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') controller.abort(new BrokenPipeError('nobody reads the output'))
    else controller.abort(error)
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
export async function describeError(error: unknown, debug: boolean): Promise<string> {
  const { errorMessage, NuError, renderRefusal } = await import('../../utils/index.ts')
  const { oneLine, printable } = await import('./printable.ts')
  const lines = [`Error: ${oneLine(errorMessage(error)) || 'unknown'}`]
  if (error instanceof RefusedError) lines.push(printable(renderRefusal(error.refusal)))
  if (error instanceof NuError && error.hint !== undefined) lines.push(`hint: ${oneLine(error.hint)}`)
  if (!(error instanceof NuError) && !debug)
    lines.push('hint: this is a fault of the program; run again with --debug and report it')
  if (debug && error instanceof Error && !(error instanceof UsageError)) lines.push(error.stack ?? '')
  return `${lines.join('\n')}\n`
}
