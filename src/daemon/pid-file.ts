/** `<user_dir>/run/<context>.pid`: lets the CLI find the daemon of a context, and keeps a second one from starting. */

import { join } from 'node:path'
import type { FileStore } from '../types/index.ts'
import { bytesToUtf8, childPath, isRunning, utf8ToBytes } from '../utils/index.ts'
import { DaemonError } from './errors.ts'

/** Writes the file; disposing removes it. @throws DaemonError `DAEMON_RUNNING` */
export async function claimPidFile(
  files: FileStore,
  userDirectory: string,
  context: string
): Promise<AsyncDisposable> {
  const path = childPath(join(userDirectory, 'run'), `${context}.pid`)
  const stored = await files.read(path)
  const holder = stored ? Number.parseInt(bytesToUtf8(stored), 10) : 0
  if (Number.isInteger(holder) && holder > 0 && holder !== process.pid && isRunning(holder)) {
    throw new DaemonError(
      'DAEMON_RUNNING',
      `a daemon of context '${context}' is running already (process ${holder})`,
      {
        hint: `stop it with 'kill ${holder}', or use another --user-dir; if that process is something else, remove '${path}'`
      }
    )
  }
  await files.writeAtomic(path, utf8ToBytes(`${process.pid}\n`))
  return { [Symbol.asyncDispose]: () => files.remove(path) }
}
