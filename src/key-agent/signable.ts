/**
 * The texts a key of a person signs. Everything else the agent refuses: with the same key a program could otherwise
 * make actor messages (`dms:msg:`, identity-and-actors §8.3) or the handshake of a peer in this identity's name.
 */

import { bytesToUtf8 } from '../utils/index.ts'

/** The signing text of a token (identity-and-actors §5.3). */
const TOKEN = /^dms:token:\{[\s\S]*\}$/

/** What the key of a sealed capability file is made from: a prefix and the file's salt in hexadecimal. */
const CAPABILITY_FILE = /^dms:cap-file:[0-9a-f]{64}$/

/** Whether the agent may sign these bytes. */
export function isSignable(data: Uint8Array): boolean {
  try {
    const text = bytesToUtf8(data)
    return TOKEN.test(text) || CAPABILITY_FILE.test(text)
  } catch {
    return false
  }
}
