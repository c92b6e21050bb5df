/** Capability files by context name, `<directory>/<name>.cap` (identity-and-actors §4.1, §4.3). */

import type { AbortOptions, Clock, FileStore } from '../../types/index.ts'
import { bytesEqual, bytesToUtf8, childPath, utf8ToBytes } from '../../utils/index.ts'
import { formatCapabilityFile, parseCapabilityFile } from './capability-file.ts'
import { MAX_BACKUPS } from './constants.ts'
import { CapabilityError } from './errors.ts'
import type { CapabilityFile, CapabilityStore } from './types.ts'

const SUFFIX = '.cap'
const FILE_MODE = 0o600

/** A store over a directory, which is made at the first save. Files have mode 0600 and are replaced atomically. */
export function createCapabilityStore(
  deps: { files: FileStore; clock: Pick<Clock, 'nowMs'> },
  options: { directory: string }
): CapabilityStore {
  return new FileCapabilityStore(deps.files, deps.clock, options.directory)
}

class FileCapabilityStore implements CapabilityStore {
  readonly #files: FileStore
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #directory: string

  constructor(files: FileStore, clock: Pick<Clock, 'nowMs'>, directory: string) {
    this.#files = files
    this.#clock = clock
    this.#directory = directory
  }

  async load(name: string): Promise<CapabilityFile | undefined> {
    const content = await this.#files.read(this.#path(name))
    if (content === undefined) return undefined
    try {
      return parseCapabilityFile(decode(content))
    } catch (error) {
      throw inFile(error, this.#path(name))
    }
  }

  async exists(name: string): Promise<boolean> {
    return (await this.#files.read(this.#path(name))) !== undefined
  }

  async list(): Promise<string[]> {
    const names = await this.#files.list(this.#directory)
    return names
      .filter(name => name.endsWith(SUFFIX) && name !== SUFFIX)
      .map(name => name.slice(0, -SUFFIX.length))
  }

  async save(name: string, file: CapabilityFile, options: AbortOptions = {}): Promise<void> {
    await using _lock = await this.#files.lock(this.#path(name), options)
    await this.#replace(name, file)
  }

  async update(
    name: string,
    change: (file: CapabilityFile) => CapabilityFile | Promise<CapabilityFile>,
    options: AbortOptions = {}
  ): Promise<CapabilityFile> {
    await using _lock = await this.#files.lock(this.#path(name), options)
    const file = await this.load(name)
    if (file === undefined) {
      throw new CapabilityError('UCAN_FILE_MISSING', `there is no capability context '${name}'`, {
        hint: `make one with 'nunet cap new ${name}'`,
        details: { name }
      })
    }
    const changed = await change(file)
    await this.#replace(name, changed)
    return changed
  }

  /** The previous content is kept as `<name>.cap.<unix seconds>`, as existing clients do, but only the newest few. */
  async #replace(name: string, file: CapabilityFile): Promise<void> {
    const path = this.#path(name)
    const content = utf8ToBytes(formatCapabilityFile(file))
    const previous = await this.#files.read(path)
    if (previous !== undefined && bytesEqual(previous, content)) return
    if (previous !== undefined) {
      await this.#files.writeAtomic(`${path}.${Math.floor(this.#clock.nowMs() / 1000)}`, previous, {
        mode: FILE_MODE
      })
    }
    await this.#files.writeAtomic(path, content, { mode: FILE_MODE })
    await this.#pruneBackups(name)
  }

  async #pruneBackups(name: string): Promise<void> {
    const prefix = `${name}${SUFFIX}.`
    const times = (await this.#files.list(this.#directory))
      .filter(file => file.startsWith(prefix) && /^\d{1,15}$/.test(file.slice(prefix.length)))
      .map(file => Number(file.slice(prefix.length)))
      .sort((a, b) => b - a)
    for (const time of times.slice(MAX_BACKUPS))
      await this.#files.remove(childPath(this.#directory, prefix + time))
  }

  #path(name: string): string {
    return childPath(this.#directory, `${name}${SUFFIX}`)
  }
}

/** Names the file in what is wrong with it. */
function inFile(error: unknown, path: string): unknown {
  if (!(error instanceof CapabilityError) || error.code !== 'UCAN_FILE_CORRUPT') return error
  return new CapabilityError(error.code, `${error.message} (in '${path}')`, {
    cause: error,
    details: { ...error.details, path },
    ...(error.hint === undefined ? {} : { hint: error.hint })
  })
}

function decode(content: Uint8Array): string {
  try {
    return bytesToUtf8(content)
  } catch (cause) {
    throw new CapabilityError('UCAN_FILE_CORRUPT', 'the capability file is damaged: it is not text', {
      cause
    })
  }
}
