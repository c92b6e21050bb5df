import { parsePeerId } from '../../lib/crypto/index.ts'
import type { Refusal } from '../../types/index.ts'
import { refusal } from '../../utils/index.ts'
import type { Ensemble } from '../ensemble/index.ts'
import { clip } from './bounds.ts'

/** A pinned peer that is no peer id can never be asked (deployment §2.3, fatal errors). */
export function checkPeers(ensemble: Ensemble): Refusal[] {
  return Object.entries(ensemble.v1.nodes).flatMap(([name, { peer }]) => {
    if (peer === undefined || isPeerId(peer)) return []
    return [refusal('ENSEMBLE_PEER', `node '${name}': '${clip(peer, 80)}' is not a peer id`)]
  })
}

function isPeerId(text: string): boolean {
  try {
    return parsePeerId(text) === text
  } catch {
    return false
  }
}
