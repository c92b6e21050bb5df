/**
 * What the agent asks the kernel for and Node has no call for: who is at the other end of a socket (unix(7),
 * SO_PEERCRED), that nobody reads this process's memory (prctl(2), PR_SET_DUMPABLE; setrlimit(2)), and that a process in
 * the background holds nothing open that its starter had (close_range(2)).
 */

import type { Socket } from 'node:net'
import { errorMessage } from '../utils/index.ts'
import { KeyAgentError } from './errors.ts'
import type { SystemGuard } from './types.ts'

/** Linux, all architectures but the long gone ones (asm-generic/socket.h). */
const SOL_SOCKET = 1
const SO_PEERCRED = 17
/** `struct ucred`: process, user and group id, 32 bits each. */
const UCRED_LENGTH = 12
const UCRED_UID = 4

/** linux/prctl.h */
const PR_GET_DUMPABLE = 3
const PR_SET_DUMPABLE = 4
/** asm-generic/resource.h */
const RLIMIT_CORE = 4
/** The same number on all architectures; older C libraries have no name for it. */
const SYS_CLOSE_RANGE = 436
const FIRST_DESCRIPTOR = 3
const LAST_DESCRIPTOR = 2 ** 32 - 1
/** linux/close_range.h */
const CLOSE_RANGE_CLOEXEC = 4

/** The calls, as a C library exports them. */
interface Library {
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint32Array): number
  prctl(option: number, value: number): number
  setrlimit(resource: number, limits: BigUint64Array): number
  syscall(number: number, a: number, b: number, c: number): number
}

/** Loads the C library of this process. @throws KeyAgentError `KEY_AGENT_UNSUPPORTED` */
export async function openSystemGuard(platform: string = process.platform): Promise<SystemGuard> {
  if (platform !== 'linux') throw unsupported(`it needs Linux, this is ${platform}`)
  return createSystemGuard(await loadLibrary())
}

/** The guard over the calls of a C library. */
export function createSystemGuard(library: Library): SystemGuard {
  return {
    peerUid(socket) {
      const credentials = Buffer.alloc(UCRED_LENGTH)
      const length = Uint32Array.of(UCRED_LENGTH)
      const status = library.getsockopt(descriptorOf(socket), SOL_SOCKET, SO_PEERCRED, credentials, length)
      if (status !== 0 || length[0] !== UCRED_LENGTH) {
        throw new KeyAgentError(
          'KEY_AGENT_UNSAFE',
          'the system does not say who is at the other end of the socket'
        )
      }
      return credentials.readUInt32LE(UCRED_UID)
    },
    protectMemory() {
      library.setrlimit(RLIMIT_CORE, BigUint64Array.of(0n, 0n))
      if (library.prctl(PR_SET_DUMPABLE, 0) !== 0 || library.prctl(PR_GET_DUMPABLE, 0) !== 0) {
        throw unsupported('its memory could be read by other programs: PR_SET_DUMPABLE has no effect')
      }
    },
    isolateDescriptors() {
      // Linux before 5.11 does not know it. Then what the starter had open besides stays open, as with any other program.
      library.syscall(SYS_CLOSE_RANGE, FIRST_DESCRIPTOR, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC)
    }
  }
}

async function loadLibrary(): Promise<Library> {
  try {
    const { default: koffi } = await import('koffi')
    const library = koffi.load(null) // what this process is linked to already, whichever C library that is
    const getsockopt = library.func('int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)')
    const prctl = library.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)')
    const setrlimit = library.func('int setrlimit(int, const uint64_t *)')
    const syscall = library.func('long syscall(long, unsigned long, unsigned long, unsigned long)')
    return {
      getsockopt: (fd, level, name, value, length) => Number(getsockopt(fd, level, name, value, length)),
      prctl: (option, value) => Number(prctl(option, value, 0, 0, 0)),
      setrlimit: (resource, limits) => Number(setrlimit(resource, limits)),
      syscall: (number, a, b, c) => Number(syscall(number, a, b, c))
    }
  } catch (cause) {
    throw unsupported(`the C library cannot be called: ${errorMessage(cause)}`, cause)
  }
}

/** Node has the descriptor of a socket and no name for it that is promised to stay. */
function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle')
  const descriptor: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  if (typeof descriptor === 'number' && descriptor >= 0) return descriptor
  throw new KeyAgentError('KEY_AGENT_UNSAFE', 'the socket has no descriptor to ask about')
}

function unsupported(reason: string, cause?: unknown): KeyAgentError {
  return new KeyAgentError('KEY_AGENT_UNSUPPORTED', `the key agent cannot run here: ${reason}`, {
    hint: 'commands ask for the passphrase as they do without it',
    ...(cause === undefined ? {} : { cause })
  })
}
