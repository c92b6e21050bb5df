import { handleFromWire } from '../../actor/message/index.ts'
import { parsePeerId } from '../../lib/crypto/index.ts'
import { parseDid, rootHandleOfDid, rootHandleOfPeer } from '../../lib/did/index.ts'
import type { Handle } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { CommandError } from '../cli/errors.ts'

/** Reads `--dest`: a DID, a handle as JSON, or a peer id (cli-api-config §1.4 step 5). @throws CommandError */
export function parseDestination(text: string): Handle {
  try {
    if (text.startsWith('did:')) return rootHandleOfDid(parseDid(text))
    if (text.startsWith('{')) return parseHandleText(text)
    return rootHandleOfPeer(parsePeerId(text))
  } catch (cause) {
    throw new CommandError(`invalid destination '${text}': ${errorMessage(cause)}`, {
      cause,
      hint: "give a DID, a peer id, or a handle as JSON; 'nunet actor cmd /dms/node/peers/list' lists peers"
    })
  }
}

function parseHandleText(text: string): Handle {
  const value: unknown = JSON.parse(text)
  const handle = handleFromWire(value)
  if (handle.ok) return handle.value
  throw new CommandError(handle.error.message)
}
