/** The login session a process belongs to, from /proc (proc(5), setsid(2)). */

import type { FileStore } from '../types/index.ts'
import { bytesToUtf8 } from '../utils/index.ts'
import type { SessionLeader } from './types.ts'

interface ProcessStat {
  readonly state: string
  readonly session: number
  readonly startTicks: string
}

type Reader = Pick<FileStore, 'read'>

/** A process by its id, as the end of a session can be told by it; `undefined` when it does not run or cannot be seen. */
export async function findProcess(files: Reader, pid: number): Promise<SessionLeader | undefined> {
  const stat = await readStat(files, String(pid))
  return stat === undefined || hasEnded(stat) ? undefined : { pid, startTicks: stat.startTicks }
}

/** Process id of the leader of this process's own session; 0 when it lies outside of what can be seen. */
export async function ownSession(files: Reader): Promise<number> {
  return (await readStat(files, 'self'))?.session ?? 0
}

/** Whether the process still runs, and is no later one with its number. */
export async function isAlive(files: Reader, { pid, startTicks }: SessionLeader): Promise<boolean> {
  const stat = await readStat(files, String(pid))
  return stat !== undefined && !hasEnded(stat) && stat.startTicks === startTicks
}

/** Dead, but nobody has asked how it ended: the session is over all the same. */
function hasEnded({ state }: ProcessStat): boolean {
  return state === 'Z' || state === 'X'
}

/** The name of the program, in parentheses, may hold spaces and parentheses itself; the fields are counted from behind it. */
async function readStat(files: Reader, process: string): Promise<ProcessStat | undefined> {
  const content = await files.read(`/proc/${process}/stat`).catch(() => undefined)
  if (content === undefined) return undefined
  const text = bytesToUtf8(content)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state = '', , , session = ''] = fields
  const startTicks = fields[19] ?? ''
  return /^\d+$/.test(session) && /^\d+$/.test(startTicks)
    ? { state, session: Number(session), startTicks }
    : undefined
}
