/** The logs of the execution before a restart are kept: they say why it ended. Those of older ones are dropped. */

import { join } from 'node:path'
import { STDERR_LOG, STDOUT_LOG } from '../../executor/index.ts'
import type { PastLog } from './stored.ts'
import type { JobFiles } from './types.ts'

export type LogStream = 'stdout' | 'stderr'

/** File of the present execution's stream. */
export function logPath(directory: string, stream: LogStream): string {
  return join(directory, stream === 'stdout' ? STDOUT_LOG : STDERR_LOG)
}

/** File of the execution before it. */
export function pastLogPath(directory: string, stream: LogStream): string {
  return join(directory, `previous.${stream}.log`)
}

const NOTHING: PastLog = { droppedBytes: 0, keptBytes: 0 }

/** The books as they will be when the present logs are put aside. To be stored before `moveLogsAside`. */
export async function measureLogs(
  files: JobFiles,
  directory: string,
  past: Readonly<Record<LogStream, PastLog>> = { stdout: NOTHING, stderr: NOTHING }
): Promise<Record<LogStream, PastLog>> {
  const measure = async (stream: LogStream): Promise<PastLog> => {
    const { totalBytes } = await files.readRange(logPath(directory, stream), 0, 0)
    const { droppedBytes, keptBytes } = past[stream]
    return { droppedBytes: droppedBytes + keptBytes, keptBytes: totalBytes }
  }
  return { stdout: await measure('stdout'), stderr: await measure('stderr') }
}

export async function moveLogsAside(files: JobFiles, directory: string): Promise<void> {
  for (const stream of ['stdout', 'stderr'] as const) {
    await files.rename(logPath(directory, stream), pastLogPath(directory, stream))
  }
}
