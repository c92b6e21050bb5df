/** Names of allocations and nodes, and the keys made of them (deployment §2.1). */

import type { Result } from '../../types/index.ts'
import { refusal, refuse } from '../../utils/index.ts'

const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/

/** True for one host name label: 1 to 63 letters, digits and inner `-`. Allocation names are labels. */
export function isAllocationName(text: string): boolean {
  return LABEL.test(text)
}

/** True for labels joined by dots, 253 characters at most: what a DNS name may be. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && text.split('.').every(isAllocationName)
}

/** True for 1 to 63 letters, digits, `-` and `_`, beginning with a letter or digit. No dots: keys are cut at them. */
export function isNodeName(text: string): boolean {
  return NODE_NAME.test(text)
}

/** Name of an allocation in manifest and messages: `<node>.<allocation>`. */
export function manifestKey(node: string, allocation: string): string {
  return `${node}.${allocation}`
}

/** Reads `<node>.<allocation>`; refuses what has not exactly two parts (`ENSEMBLE_NAME`). */
export function parseManifestKey(text: string): Result<{ node: string; allocation: string }> {
  const [node, allocation, ...rest] = text.split('.')
  if (!node || !allocation || rest.length > 0) {
    return refuse(refusal('ENSEMBLE_NAME', `expected '<node>.<allocation>', found '${text.slice(0, 200)}'`))
  }
  return { ok: true, value: { node, allocation } }
}

/** Id of an allocation everywhere: `<ensemble id>_<node>.<allocation>`. */
export function allocationId(ensembleId: string, node: string, allocation: string): string {
  return `${ensembleId}_${manifestKey(node, allocation)}`
}

/**
 * Reads an allocation id. It is cut at the first `_` (an ensemble id has none, a node name may), then at the dot.
 * Refuses other forms (`ENSEMBLE_NAME`).
 */
export function parseAllocationId(
  text: string
): Result<{ ensembleId: string; node: string; allocation: string }> {
  const cut = text.indexOf('_')
  const key = parseManifestKey(text.slice(cut + 1))
  if (cut < 1 || !key.ok) {
    const found = text.slice(0, 300)
    return refuse(refusal('ENSEMBLE_NAME', `expected '<ensemble id>_<node>.<allocation>', found '${found}'`))
  }
  return { ok: true, value: { ensembleId: text.slice(0, cut), ...key.value } }
}
