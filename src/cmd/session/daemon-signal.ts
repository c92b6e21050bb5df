import { join } from 'node:path'
import type { FileStore } from '../../types/index.ts'
import { bytesToUtf8, errorMessage, isRunning } from '../../utils/index.ts'

/** The process id of the running daemon of a context, from `<user_dir>/run/<context>.pid`. */
export async function findDaemon(
  files: Pick<FileStore, 'read'>,
  directory: string,
  context: string
): Promise<number | undefined> {
  const content = await files.read(join(directory, `${context}.pid`))
  const pid = content === undefined ? Number.NaN : Number(bytesToUtf8(content).trim())
  if (!Number.isInteger(pid) || pid <= 1 || !isRunning(pid)) return undefined
  return (await isNode(files, pid)) ? pid : undefined
}

/**
 * Asks the daemon to read its capability context again (cli-api-config §2.2). A signal kills a process that does
 * not expect it, and ids are reused, so the process must look like ours.
 */
export async function tellDaemon(
  files: Pick<FileStore, 'read'>,
  directory: string,
  context: string
): Promise<{ told: boolean; problem?: string }> {
  try {
    const pid = await findDaemon(files, directory, context)
    if (pid === undefined) return { told: false }
    process.kill(pid, 'SIGUSR1')
    return { told: true }
  } catch (error) {
    return { told: false, problem: errorMessage(error) }
  }
}

/** Whether a process runs this program's `run` or `up`; where there is no /proc its id must do. */
async function isNode(files: Pick<FileStore, 'read'>, pid: number): Promise<boolean> {
  const line = await files.read(`/proc/${pid}/cmdline`)
  if (line === undefined) return true
  const words = bytesToUtf8(line).split('\0')
  return words.some(word => /nunet/.test(word)) && words.some(word => word === 'run' || word === 'up')
}
