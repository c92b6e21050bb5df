/**
 * Workloads of a lab, seen from outside: containers by the label of their node, WASM processes by the files they
 * hold open. They outlive their daemons on purpose, so a lab that closes has to end what still runs.
 */

import { readdir, readFile, readlink } from 'node:fs/promises'
import { ask } from './docker.ts'

/** A container of a node. */
export interface LabContainer {
  readonly id: string
  /** As the engine says it: `running`, `exited` and so on. */
  readonly state: string
}

/** Containers of a node, running or not, by the label its executor gives them. */
export async function containersOf(peerId: string): Promise<LabContainer[]> {
  const filters = JSON.stringify({ label: [`nunet-executor=nunet-${peerId.slice(-12)}`] })
  const answer = await ask('GET', `/containers/json?all=1&filters=${encodeURIComponent(filters)}`)
  if (answer?.status !== 200) return []
  const list: unknown = JSON.parse(answer.body)
  return Array.isArray(list)
    ? list.map(container => ({ id: String(container?.Id), state: String(container?.State) }))
    : []
}

/** Process ids of WASM workloads whose files lie below a directory (Linux). */
export async function wasmRunnersOf(directory: string): Promise<number[]> {
  const ids = (await readdir('/proc').catch(() => [])).filter(name => /^\d+$/.test(name)).map(Number)
  const own = await Promise.all(
    ids.map(async id => (await isWasmRunner(id)) && (await holdsFileBelow(id, `${directory}/`)))
  )
  return ids.filter((_, index) => own[index])
}

async function isWasmRunner(id: number): Promise<boolean> {
  return /wasm-runner/.test(await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => ''))
}

async function holdsFileBelow(id: number, prefix: string): Promise<boolean> {
  // A process may end, or belong to somebody else: then it is none of ours.
  const names = await readdir(`/proc/${id}/fd`).catch(() => [])
  const targets = await Promise.all(names.map(name => readlink(`/proc/${id}/fd/${name}`).catch(() => '')))
  return targets.some(target => target.startsWith(prefix))
}

/** Ends whatever the nodes of a lab left running. */
export async function endWorkloads(directory: string, peerIds: readonly string[]): Promise<void> {
  for (const id of await wasmRunnersOf(directory)) {
    try {
      process.kill(id, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
  }
  const containers = await Promise.all(peerIds.filter(id => id !== '').map(containersOf))
  await Promise.all(
    containers.flat().map(({ id }) => ask('DELETE', `/containers/${id}?force=true&v=true`, 30_000))
  )
}
