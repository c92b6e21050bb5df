/** What the demo, tests and benchmarks need of a Docker engine: whether there is one, and a small image that is local. */

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SOCKET = '/var/run/docker.sock'

export interface EngineAnswer {
  readonly status: number
  readonly body: string
}

/** One request to the engine; `undefined` when there is none. */
export async function ask(
  method: string,
  path: string,
  timeoutMs = 5_000
): Promise<EngineAnswer | undefined> {
  return await new Promise(resolve => {
    const asking = request({ socketPath: SOCKET, method, path, timeout: timeoutMs }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.once('error', () => resolve(undefined))
    })
    asking.once('timeout', () => asking.destroy())
    asking.once('error', () => resolve(undefined))
    asking.end()
  })
}

/** Whether an engine answers on the usual socket. */
export async function hasDocker(): Promise<boolean> {
  return (await ask('GET', '/_ping'))?.status === 200
}

/** An image with a shell, `httpd` and `wget`. `undo` removes it when it was made here. */
export interface LocalImage {
  readonly name: string
  undo(): Promise<void>
}

/**
 * Makes sure that `busybox` is local: it may be already, it may come from a registry, or it is made from this
 * machine's own static busybox. Returns why not when there is no way.
 */
export async function ensureBusybox(): Promise<LocalImage | string> {
  const name = 'busybox'
  if ((await ask('GET', `/images/${name}/json`))?.status === 200) return { name, undo: async () => undefined }
  const undo = async (): Promise<void> => void (await ask('DELETE', `/images/${name}:latest?force=true`))
  const pulled = await ask('POST', `/images/create?fromImage=${name}&tag=latest`, 30_000)
  if (pulled?.status === 200 && (await ask('GET', `/images/${name}/json`))?.status === 200)
    return { name, undo }
  const binary = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync)
  if (binary === undefined)
    return 'no image registry can be reached and there is no busybox on this machine (Debian: busybox-static)'
  const failure = await importBusybox(binary, name)
  return failure ?? { name, undo }
}

/** The same image under a name of its own, so that labs side by side do not take it from each other. */
export async function ownBusybox(): Promise<LocalImage | string> {
  const base = await ensureBusybox()
  if (typeof base === 'string') return base
  const name = `nunet-lab-${randomBytes(6).toString('hex')}`
  const tagged = await ask('POST', `/images/${base.name}/tag?repo=${name}&tag=latest`)
  await base.undo()
  if (tagged?.status !== 201) return `the image could not be named '${name}': ${tagged?.body ?? 'no answer'}`
  const undo = async (): Promise<void> => void (await ask('DELETE', `/images/${name}:latest?force=true`))
  return { name, undo }
}

async function importBusybox(binary: string, name: string): Promise<string | undefined> {
  const root = mkdtempSync(join(tmpdir(), 'nunet-busybox-'))
  try {
    for (const directory of ['bin', 'tmp', 'etc']) mkdirSync(join(root, directory))
    // Without it the C library in a static busybox loads modules that are not there, and dies looking up a name.
    writeFileSync(join(root, 'etc', 'nsswitch.conf'), 'hosts: files\n')
    const script =
      'cp "$1" "$2/bin/busybox" && chroot "$2" /bin/busybox --install -s /bin && tar -C "$2" -c . | docker import - "$3:latest"'
    await run('sh', ['-c', script, 'sh', binary, root, name])
    return undefined
  } catch (error) {
    return `an image could not be made from '${binary}' (it must be the static one): ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** Runs a program to its end; its standard output. */
export async function run(command: string, args: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile(command, [...args], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout)
    )
  })
}
