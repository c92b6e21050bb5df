/**
 * Names a process so that it can be found after a restart of the daemon: a process id alone is given to others
 * later, but not together with the start time (proc_pid_stat(5) field 22; `ps -o lstart` elsewhere) and, where
 * there is one, the id of the machine's boot.
 */

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isRunning } from '../../utils/index.ts'

const run = promisify(execFile)

/** Ticks of a second in /proc (`sysconf(_SC_CLK_TCK)`): 100 on every Linux of today. */
const TICKS_PER_SECOND = 100

export interface ProcessUsage {
  /** CPU time used since its start, in milliseconds. */
  readonly cpuMs: number
  readonly memoryBytes: number
}

/** When the process started, in a form that only serves comparison; undefined when it does not run. */
export async function processStart(pid: number): Promise<string | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isRunning(pid)) return undefined
  if (process.platform !== 'linux') return (await ps(pid, 'lstart=')) || undefined
  const fields = await statFields(pid)
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined // ended, waiting to be told to its parent
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return `${boot.trim()}:${fields[19]}`
}

/** Sends a signal if the process is still the one that was meant. False when it is gone. */
export async function signalProcess(
  pid: number,
  start: string,
  signalName: NodeJS.Signals
): Promise<boolean> {
  if ((await processStart(pid)) !== start) return false
  try {
    process.kill(pid, signalName)
    return true
  } catch {
    return false // it ended in this very moment
  }
}

export async function processUsage(pid: number): Promise<ProcessUsage | undefined> {
  if (process.platform !== 'linux') return await usageByPs(pid)
  const fields = await statFields(pid)
  if (fields === undefined) return undefined
  // Fields 14 and 15 (user and system time) and 24 (resident pages), counted from field 3.
  const ticks = Number(fields[11]) + Number(fields[12])
  return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, memoryBytes: Number(fields[21]) * 4096 }
}

/** Fields of /proc/<pid>/stat from the third on; the second, the name, may hold blanks and brackets itself. */
async function statFields(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

async function usageByPs(pid: number): Promise<ProcessUsage | undefined> {
  const [kilobytes, time] = (await ps(pid, 'rss=,time=')).split(/\s+/)
  if (kilobytes === undefined || time === undefined) return undefined
  const cpuMs = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1000
  return { cpuMs, memoryBytes: Number(kilobytes) * 1024 }
}

async function ps(pid: number, format: string): Promise<string> {
  const { stdout } = await run('ps', ['-o', format, '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.trim()
}
