import { createServer } from 'node:net'

/** Whether a TCP port can be bound on all addresses of this host right now. Never throws. */
export async function isHostPortFree(port: number): Promise<boolean> {
  const server = createServer()
  return await new Promise<boolean>(resolve => {
    server.once('error', () => resolve(false))
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
