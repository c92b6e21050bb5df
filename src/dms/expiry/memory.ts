/**
 * What the watch remembers from run to run: since when it knows a token, what it announced, and the token itself, so that
 * one that ended while the node was down is told of. The file holds no secret: tokens are of no use without their keys.
 */

import { z } from 'zod'
import { formatToken, parseToken, type Token } from '../../lib/ucan/index.ts'
import type { FileStore, Logger } from '../../types/index.ts'
import { bytesToUtf8, errorMessage, utf8ToBytes } from '../../utils/index.ts'
import { MAX_MEMORY_LENGTH, MAX_WATCHED } from './constants.ts'
import type { AnchorRole } from './types.ts'

/** A token that is watched. */
export interface Watched {
  readonly role: AnchorRole
  readonly token: Token
  readonly firstSeenMs: number
  /** Announcements made. */
  announced: number
}

const FILE = z.object({
  version: z.literal(1),
  tokens: z
    .array(
      z.object({
        role: z.enum(['provide', 'require']),
        first_seen_ms: z.number(),
        announced: z.number().int().min(0),
        token: z.string()
      })
    )
    .max(MAX_WATCHED * 2)
})

/** Identifies a token, and by its bytes nothing else. */
export function keyOf(role: AnchorRole, token: Token): string {
  return `${role} ${formatToken(token)}`
}

/** Reads the file; one that is missing or damaged remembers nothing, which costs a repeated announcement at worst. */
export async function readMemory(
  { files, log }: { files: Pick<FileStore, 'read'>; log: Logger },
  path: string
): Promise<Map<string, Watched>> {
  const memory = new Map<string, Watched>()
  try {
    const content = await files.read(path)
    if (content === undefined) return memory
    if (content.length > MAX_MEMORY_LENGTH) throw new Error(`it is longer than ${MAX_MEMORY_LENGTH} bytes`)
    for (const entry of FILE.parse(JSON.parse(bytesToUtf8(content))).tokens) {
      const token = parseToken(entry.token)
      if (!token.ok) throw new Error(token.error.message)
      const watched = { role: entry.role, token: token.value, firstSeenMs: entry.first_seen_ms }
      memory.set(keyOf(entry.role, token.value), { ...watched, announced: entry.announced })
    }
  } catch (error) {
    log.warn('what was announced of expiring capabilities is not known any more', {
      path,
      reason: errorMessage(error)
    })
  }
  return memory
}

/** The file as text. */
export function formatMemory(memory: Iterable<Watched>): Uint8Array {
  const tokens = [...memory].map(({ role, token, firstSeenMs, announced }) => ({
    role,
    first_seen_ms: firstSeenMs,
    announced,
    token: formatToken(token)
  }))
  return utf8ToBytes(`${JSON.stringify({ version: 1, tokens })}\n`)
}
