import { errorCode } from '../../utils/index.ts'
import { CommandError } from '../cli/errors.ts'

/** Ports tried above the one that is wanted. */
const TRIES = 100

/** The wanted port of an address, or the next one that nobody listens on. */
export async function findFreePort(address: string, wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + TRIES && port <= 65_535; port++) {
    if (await isPortFree(address, port)) return port
  }
  throw new CommandError(`no port from ${wanted} on is free on ${address}`, {
    hint: 'choose ports in the configuration file'
  })
}

/** Whether a TCP port can be listened on; tried by doing it. */
export async function isPortFree(address: string, port: number): Promise<boolean> {
  const { createServer } = await import('node:net')
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  server.once('error', error => {
    const code = errorCode(error)
    // An address this machine does not have says nothing about the port; the daemon will tell.
    if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false)
    else if (code === 'EADDRNOTAVAIL') resolve(true)
    else reject(error)
  })
  server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)))
  return await promise
}
