import { errorCode, NuError } from './error.ts'

/** A file could not be read or written; the message names the path and the reason. */
export class FileStoreError extends NuError {
  override readonly name = 'FileStoreError'
  readonly code = 'FILE_ACCESS'
}

const REASONS: Readonly<Record<string, { reason: string; hint: string }>> = {
  ENOSPC: {
    reason: 'the disk is full',
    hint: 'free some space and run the command again; nothing was changed'
  },
  EDQUOT: {
    reason: 'the disk quota is used up',
    hint: 'free some space and run the command again; nothing was changed'
  },
  EACCES: { reason: 'permission denied', hint: 'check the owner of the file and of its directory' },
  EPERM: { reason: 'operation not permitted', hint: 'check the owner of the file and of its directory' },
  EROFS: { reason: 'the file system is read-only', hint: 'choose another directory with --user-dir' },
  EISDIR: { reason: 'it is a directory', hint: 'choose another path' },
  ENOTDIR: { reason: 'a part of the path is not a directory', hint: 'choose another path' },
  EEXIST: { reason: 'a file is where its directory should be', hint: 'choose another path' },
  ENAMETOOLONG: { reason: 'the name is too long', hint: 'choose a shorter name' }
}

/** Turns a system error into one line that says what to do. */
export function fileError(action: string, path: string, cause: unknown): FileStoreError {
  const code = errorCode(cause) ?? 'unknown error'
  const known = REASONS[code]
  return new FileStoreError(`cannot ${action} '${path}': ${known?.reason ?? code}`, {
    cause,
    details: { path, code },
    ...(known ? { hint: known.hint } : {})
  })
}
