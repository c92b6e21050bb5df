import type { Socket } from 'node:net'
import { errorCode, errorMessage } from '../utils/index.ts'
import { KeyAgentError } from './errors.ts'

/** Connects to a socket. @throws KeyAgentError `KEY_AGENT_ABSENT` when nobody listens on it. */
export async function connectTo(path: string): Promise<Socket> {
  const { connect } = await import('node:net')
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ path })
  socket.once('error', reject).once('connect', () => resolve(socket))
  try {
    return await promise
  } catch (cause) {
    socket.destroy()
    // A killed agent leaves its socket behind; the next one replaces it.
    const isAbsent = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(errorCode(cause) ?? '')
    throw new KeyAgentError(
      isAbsent ? 'KEY_AGENT_ABSENT' : 'KEY_AGENT_FAILED',
      isAbsent ? 'no key agent runs' : `cannot reach the key agent: ${errorMessage(cause)}`,
      { cause, hint: "start one with 'nunet key agent'" }
    )
  } finally {
    socket.off('error', reject)
  }
}

/** Whether somebody listens on a socket. */
export async function isListening(path: string): Promise<boolean> {
  try {
    const socket = await connectTo(path)
    socket.on('error', () => undefined).destroy()
    return true
  } catch (error) {
    return errorCode(error) !== 'KEY_AGENT_ABSENT'
  }
}
