/** `<user_dir>/run/<context>.pid`: lets the CLI find the daemon of a context, and keeps a second one from starting. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions, FileStore } from '../types/index.ts'
import { bytesToUtf8, childPath, isRunning, utf8ToBytes } from '../utils/index.ts'
import { DaemonError } from './errors.ts'

/** Largest process id of any system we run on (Linux: 2^22). */
const MAX_PID = 2 ** 31 - 1

/** Writes the file; disposing removes it, if it is still ours. @throws DaemonError `DAEMON_RUNNING` */
export async function claimPidFile(
  files: FileStore,
  userDirectory: string,
  context: string,
  options: AbortOptions = {}
): Promise<AsyncDisposable> {
  const path = childPath(join(userDirectory, 'run'), `${context}.pid`)
  // Two daemons that start together must not both find no holder.
  await using _lock = await files.lock(path, options)
  const holder = await readPid(files, path)
  if (holder !== undefined && holder !== process.pid && (await isDaemon(holder))) {
    throw new DaemonError(
      'DAEMON_RUNNING',
      `a daemon of context '${context}' is running already (process ${holder})`,
      {
        hint: `stop it with 'kill ${holder}', or use another --user-dir; if that process is something else, remove '${path}'`
      }
    )
  }
  await files.writeAtomic(path, utf8ToBytes(`${process.pid}\n`))
  return {
    [Symbol.asyncDispose]: async () => {
      if ((await readPid(files, path)) === process.pid) await files.remove(path)
    }
  }
}

/** Anything but one process id counts as no holder: the file is then written anew. */
async function readPid(files: FileStore, path: string): Promise<number | undefined> {
  const content = await files.read(path)
  const text = content && content.length <= 32 ? bytesToUtf8(content).trim() : ''
  const pid = /^\d{1,10}$/.test(text) ? Number(text) : 0
  return pid > 0 && pid <= MAX_PID ? pid : undefined
}

/**
 * Whether a process may be the daemon that wrote the file. After a crash or a reboot its id may belong to another
 * program; where the system tells which, that does not keep the node from starting.
 */
async function isDaemon(pid: number): Promise<boolean> {
  if (!isRunning(pid)) return false
  try {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    return command === '' || /node|nunet/i.test(command)
  } catch {
    return true
  }
}
