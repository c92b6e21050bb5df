/** The anchors of a running node, from itself: what it admits messages by now, grants that it made on its own included. */

import { decodePayload, readRefusalReply } from '../../../actor/message/index.ts'
import { parseDid, rootHandleOfDid } from '../../../lib/did/index.ts'
import {
  type CapabilityFile,
  emptyCapabilityFile,
  parseTokenList,
  type Token
} from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { deadline, errorMessage, type GoJsonValue, goMember, unwrap } from '../../../utils/index.ts'
import type { Cli } from '../../cli/command.ts'
import { CommandError, RefusedError } from '../../cli/errors.ts'
import { printGoJson, readGoJson } from '../../cli/go-print.ts'
import { openSession } from '../../session/session.ts'
import type { SignerRequest } from '../../session/signer.ts'

/** The behaviour changes nothing at the node (identity-and-actors §4.5). */
const BEHAVIOR = '/dms/cap/list'

/** Time for the node to answer. Milliseconds. */
const WAIT_MS = 10_000

const HINT = `the context given to --ask must be allowed '${BEHAVIOR}' there; strangers get no answer at all`

/** Asks `did` with the identity of `request`. @throws RefusedError, ApiTimeoutError, CommandError */
export async function askAnchors(cli: Cli, request: SignerRequest, did: Did): Promise<CapabilityFile> {
  const { config, globals, name } = request
  using session = await openSession({ cli, config, globals, context: name })
  const to = rootHandleOfDid(did)
  const message = {
    behavior: BEHAVIOR,
    payload: { Context: 'dms' },
    to,
    expiresAtNs: session.expiry(WAIT_MS)
  }
  using limit = deadline(cli.clock, 2 * WAIT_MS, `the answer to '${BEHAVIOR}'`, cli.signal)
  const reply = await session.invoke(message, limit.signal).catch((cause: unknown) => {
    cli.signal.throwIfAborted()
    throw new CommandError(`the receiver did not tell its anchors: ${errorMessage(cause)}`, {
      cause,
      hint: HINT
    })
  })
  const decoded = decodePayload(reply)
  const refused = decoded.ok ? readRefusalReply(decoded.value) : undefined
  if (refused !== undefined) throw new RefusedError('the receiver does not tell its anchors', refused, HINT)
  return readAnchors(did, reply)
}

/** Reads the reply as a capability file of that node. Its tokens are verified like those of any file. */
export function readAnchors(did: Did, reply: Uint8Array): CapabilityFile {
  try {
    const value = readGoJson(reply)
    if (!(value instanceof Map)) throw new CommandError('it is no object')
    return {
      ...emptyCapabilityFile(did),
      roots: readRoots(goMember(value, 'roots')),
      require: readList(goMember(value, 'require')),
      provide: readList(goMember(value, 'provide')),
      revoke: readList(goMember(value, 'revoke'))
    }
  } catch (cause) {
    throw new CommandError(`the receiver's list of anchors cannot be read: ${errorMessage(cause)}`, { cause })
  }
}

function readList(value: GoJsonValue | undefined): Token[] {
  if (value === undefined || value === null) return []
  return unwrap(parseTokenList(printGoJson(value, 0)), error => new RefusedError(error.message, error))
}

function readRoots(value: GoJsonValue | undefined): Did[] {
  if (!Array.isArray(value)) return []
  return value.map(item => {
    const uri = item instanceof Map ? goMember(item, 'uri') : item
    if (typeof uri !== 'string') throw new CommandError('a root is no DID')
    return parseDid(uri)
  })
}
