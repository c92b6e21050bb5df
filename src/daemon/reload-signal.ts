/** SIGUSR1 makes a running daemon read its capability file again. */

import type { Logger } from '../types/index.ts'
import { errorMessage } from '../utils/index.ts'

export interface ReloadSignal extends Disposable {
  /** From now on signals are answered; one that came before is answered at once. */
  handle(reload: () => Promise<void>): void
}

/**
 * Takes the signal over at once, before anything else is done: Node's own answer to it is to open a debugger port.
 * Disposing gives it back.
 */
export function takeReloadSignal(log: Logger): ReloadSignal {
  let reload: (() => Promise<void>) | undefined
  let isMissed = false
  const run = (): void => {
    isMissed = reload === undefined
    reload?.().catch((error: unknown) =>
      log.warn('capability anchors not reloaded', { reason: errorMessage(error) })
    )
  }
  process.on('SIGUSR1', run)
  return {
    handle: work => {
      reload = work
      if (isMissed) run()
    },
    [Symbol.dispose]: () => void process.removeListener('SIGUSR1', run)
  }
}
