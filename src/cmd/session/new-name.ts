import { CommandError } from '../cli/errors.ts'

/** A control or format character: it would break the lines of lists, or hide in them (Unicode, categories Cc, Cf, Zl, Zp). */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** Names are those of files, with an ending and, while they are written, a suffix. Bytes; file systems allow 255. */
const MAX_BYTES = 128

/**
 * Refuses what nobody means as the name of a new key or context. Existing ones of such names stay usable.
 * @throws CommandError
 */
export function checkNewName(name: string): void {
  const problem = problemOf(name)
  if (problem === undefined) return
  throw new CommandError(`'${name.slice(0, 80)}' cannot be a name: ${problem}`, {
    hint: 'use letters, digits, dots and dashes'
  })
}

function problemOf(name: string): string | undefined {
  if (name.trim() === '') return 'it is empty'
  if (name !== name.trim()) return 'it starts or ends with a space'
  if (name.startsWith('-')) return 'it would be taken for a flag'
  if (/[/\\]/.test(name)) return 'it would be a path'
  if (INVISIBLE.test(name)) return 'it holds a character that cannot be seen'
  return Buffer.byteLength(name) > MAX_BYTES ? `it is longer than ${MAX_BYTES} bytes` : undefined
}
