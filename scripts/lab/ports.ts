import { createServer } from 'node:net'

/** A TCP port of loopback that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise<void>(resolve => server.close(() => resolve()))
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}

/** A free port inside the default range for published ports (16384 to 65535). */
export async function freePublicPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port >= 16_384) return port
  }
}
