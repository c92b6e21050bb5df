/**
 * What some tests need from the machine. A test that needs something missing is skipped loudly; where the part
 * is required (`npm test -- --require docker,root`, or `CI=true`) the same test fails instead.
 *
 * `it('runs a container', needs('docker'), async () => …)`
 */

import { existsSync } from 'node:fs'
import { request } from 'node:http'

/** Parts a machine may lack. */
export type Part = 'docker' | 'root'

const PROBES: Readonly<Record<Part, () => Promise<string | undefined>>> = {
  root: async () => (process.getuid?.() === 0 ? undefined : 'the tests do not run as root'),
  docker: async () => {
    const socketPath = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')
    if (!existsSync(socketPath)) return `there is no '${socketPath}'`
    return await new Promise(resolve => {
      const ping = request({ socketPath, path: '/_ping', timeout: 3000 }, response => {
        response.resume()
        resolve(response.statusCode === 200 ? undefined : `the engine answered ${response.statusCode}`)
      })
      ping.on('timeout', () => ping.destroy(new Error('the engine does not answer')))
      ping.on('error', error => resolve(error.message))
      ping.end()
    })
  }
}

/** Why each part is missing; asked once per process. */
const missing = new Map(
  await Promise.all(Object.entries(PROBES).map(async ([part, probe]) => [part, await probe()] as const))
)

/** Options for `it` and `describe`: runs when all parts are there, otherwise says why not. */
export function needs(...parts: readonly Part[]): { skip: false | string } {
  const reasons = parts.flatMap(part => {
    const reason = missing.get(part)
    return reason === undefined ? [] : [`needs ${part}: ${reason}`]
  })
  return { skip: reasons.length > 0 && reasons.join('; ') }
}
