/**
 * Capability files by context name, `<directory>/<name>.cap` (identity-and-actors §4.1, §4.3), plain or sealed
 * (`sealed-file.ts`). Each change happens under the file's lock, between processes, and replaces the file in one step,
 * so a process that is killed leaves the content from before or from after. What holds plain content because a file was
 * plain once, its backups and remains of killed writers, is sealed or removed before the file itself is sealed.
 */

import type { AbortOptions, Clock, Did, FileLock, FileStore, RandomSource } from '../../types/index.ts'
import { bytesToUtf8, childPath, utf8ToBytes } from '../../utils/index.ts'
import type { Signer } from '../did/index.ts'
import { formatCapabilityFile, parseCapabilityFile } from './capability-file.ts'
import { MAX_BACKUPS, MAX_FILE_LENGTH } from './constants.ts'
import { shortDid } from './describe.ts'
import { CapabilityError } from './errors.ts'
import { isSealed, openContent, sealContent, sealedOwner } from './sealed-file.ts'
import type { CapabilityFile, CapabilityStore, FileAccess } from './types.ts'

const SUFFIX = '.cap'
const FILE_MODE = 0o600

interface StoreDeps {
  readonly files: FileStore
  readonly clock: Pick<Clock, 'nowMs'>
  /** Salts and nonces of sealed files. */
  readonly random: Pick<RandomSource, 'bytes'>
}

/** A store over a directory, which is made at the first save. Files have mode 0600 and are replaced atomically. */
export function createCapabilityStore(deps: StoreDeps, options: { directory: string }): CapabilityStore {
  return new FileCapabilityStore(deps, options.directory)
}

class FileCapabilityStore implements CapabilityStore {
  readonly #deps: StoreDeps
  readonly #directory: string

  constructor(deps: StoreDeps, directory: string) {
    this.#deps = deps
    this.#directory = directory
  }

  async load(name: string, access: FileAccess = {}): Promise<CapabilityFile | undefined> {
    const content = await this.#read(name)
    if (content === undefined) return undefined
    const signer = isSealed(content) ? await signerOf(access) : undefined
    return await this.#naming(name, async () => parse(await plainOf(content, signer)))
  }

  async exists(name: string): Promise<boolean> {
    return (await this.#read(name)) !== undefined
  }

  async isSealed(name: string): Promise<boolean> {
    const content = await this.#read(name)
    return content !== undefined && isSealed(content)
  }

  async ownerOf(name: string): Promise<Did | undefined> {
    const content = await this.#read(name)
    if (content === undefined) return undefined
    return await this.#naming(name, async () =>
      isSealed(content) ? sealedOwner(content) : parse(content).did
    )
  }

  async list(): Promise<string[]> {
    const names = await this.#deps.files.list(this.#directory)
    return names
      .filter(name => name.endsWith(SUFFIX) && name !== SUFFIX)
      .map(name => name.slice(0, -SUFFIX.length))
  }

  async save(
    name: string,
    file: CapabilityFile,
    access: FileAccess & { form?: 'plain' | 'sealed' | undefined } = {}
  ): Promise<void> {
    const seals = (previous: Uint8Array | undefined): boolean =>
      access.form === undefined ? previous !== undefined && isSealed(previous) : access.form === 'sealed'
    const signer = seals(await this.#read(name)) ? await signerOf(access) : undefined
    await using _lock = await this.#lock(name, access)
    const previous = await this.#read(name)
    const content = toBytes(file)
    if (!seals(previous)) return await this.#replace(name, previous, content)
    await this.#naming(name, async () => {
      const key = ownersKey(file, signer)
      await this.#sealRemains(name, key)
      await this.#replace(name, previous && (await this.#seal(previous, key)), await this.#seal(content, key))
    })
  }

  async update(
    name: string,
    change: (file: CapabilityFile) => CapabilityFile | Promise<CapabilityFile>,
    access: FileAccess = {}
  ): Promise<CapabilityFile> {
    return await this.#locked(name, access, async (previous, signer) => {
      const plain = await plainOf(previous, signer)
      const changed = await change(parse(plain))
      const content = toBytes(changed)
      if (Buffer.compare(plain, content) === 0) return changed
      const isPlain = !isSealed(previous)
      await this.#replace(
        name,
        previous,
        isPlain ? content : await this.#seal(content, ownersKey(changed, signer))
      )
      return changed
    })
  }

  async seal(name: string, access: FileAccess): Promise<boolean> {
    const signer = await signerOf(access)
    return await this.#locked(name, { ...access, signer }, async content => {
      if (isSealed(content)) return false
      const key = ownersKey(parse(content), signer)
      await this.#sealRemains(name, key)
      await this.#write(this.#path(name), await this.#seal(content, key))
      return true
    })
  }

  async unseal(name: string, access: FileAccess): Promise<boolean> {
    return await this.#locked(name, access, async (content, signer) => {
      if (!isSealed(content)) return false
      await this.#write(this.#path(name), await plainOf(content, signer))
      return true
    })
  }

  /** Runs `work` on the content that is there under the lock. The signer is asked before, as a person may be slow. */
  async #locked<T>(
    name: string,
    access: FileAccess,
    work: (content: Uint8Array, signer: Signer | undefined) => Promise<T>
  ): Promise<T> {
    const before = await this.#read(name)
    const signer = before !== undefined && isSealed(before) ? await signerOf(access) : undefined
    await using _lock = await this.#lock(name, access)
    const content = await this.#read(name)
    if (content === undefined) throw missing(name)
    return await this.#naming(name, () => work(content, signer))
  }

  /** The previous content is kept as `<name>.cap.<unix seconds>`, as existing clients do, but only the newest few. */
  async #replace(name: string, previous: Uint8Array | undefined, content: Uint8Array): Promise<void> {
    const path = this.#path(name)
    if (previous !== undefined) {
      if (Buffer.compare(previous, content) === 0) return
      await this.#write(`${path}.${Math.floor(this.#deps.clock.nowMs() / 1000)}`, previous)
    }
    await this.#write(path, content)
    const backups = await this.#backups(name)
    for (const backup of backups.slice(MAX_BACKUPS)) await this.#deps.files.remove(backup)
  }

  /** Leaves no plain content of this context beside the file. Nobody else writes here while the lock is held. */
  async #sealRemains(name: string, signer: Signer): Promise<void> {
    const { files } = this.#deps
    for (const file of await files.list(this.#directory)) {
      if (file.startsWith(`${name}${SUFFIX}.`) && file.endsWith('.tmp'))
        await files.remove(childPath(this.#directory, file))
    }
    for (const path of await this.#backups(name)) {
      const content = await files.read(path)
      if (content === undefined || isSealed(content)) continue
      await this.#write(path, await this.#seal(content, signer))
    }
  }

  /** Paths of the backups, newest first. */
  async #backups(name: string): Promise<string[]> {
    const prefix = `${name}${SUFFIX}.`
    return (await this.#deps.files.list(this.#directory))
      .filter(file => file.startsWith(prefix) && /^\d{1,15}$/.test(file.slice(prefix.length)))
      .sort((a, b) => Number(b.slice(prefix.length)) - Number(a.slice(prefix.length)))
      .map(file => childPath(this.#directory, file))
  }

  /** The content sealed, when it is not. */
  async #seal(content: Uint8Array, signer: Signer): Promise<Uint8Array> {
    return isSealed(content) ? content : await sealContent(content, signer, this.#deps.random)
  }

  /** Names the file in what is wrong with it. */
  async #naming<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof CapabilityError) || !error.code.startsWith('UCAN_FILE_')) throw error
      const path = this.#path(name)
      throw new CapabilityError(error.code, `${error.message} (in '${path}')`, {
        cause: error,
        details: { ...error.details, path },
        ...(error.hint === undefined ? {} : { hint: error.hint })
      })
    }
  }

  async #read(name: string): Promise<Uint8Array | undefined> {
    return await this.#deps.files.read(this.#path(name))
  }

  async #write(path: string, content: Uint8Array): Promise<void> {
    await this.#deps.files.writeAtomic(path, content, { mode: FILE_MODE })
  }

  async #lock(name: string, options: AbortOptions): Promise<FileLock> {
    return await this.#deps.files.lock(this.#path(name), options)
  }

  #path(name: string): string {
    return childPath(this.#directory, `${name}${SUFFIX}`)
  }
}

async function signerOf({ signer }: FileAccess): Promise<Signer | undefined> {
  return typeof signer === 'function' ? await signer() : signer
}

/** The key that seals a context is its owner's. */
function ownersKey(file: CapabilityFile, signer: Signer | undefined): Signer {
  const key = requireSigner(signer)
  if (key.did === file.did) return key
  throw new CapabilityError(
    'UCAN_WRONG_OWNER',
    `the capability context belongs to ${shortDid(file.did)}, the key to ${shortDid(key.did)}`,
    { hint: 'use the key the context was made with', details: { owner: file.did, signer: key.did } }
  )
}

function requireSigner(signer: Signer | undefined): Signer {
  if (signer !== undefined) return signer
  throw new CapabilityError(
    'UCAN_FILE_SEALED',
    'the capability file is sealed and needs the key of its owner',
    {
      hint: 'set DMS_PASSPHRASE, use --passphrase-fd, or unlock the key with the key agent'
    }
  )
}

/** The plain content, whichever form it has. */
async function plainOf(content: Uint8Array, signer: Signer | undefined): Promise<Uint8Array> {
  return isSealed(content) ? await openContent(content, requireSigner(signer)) : content
}

/** A file that could not be read again must not replace one that can. @throws CapabilityError UCAN_FILE_FULL */
function toBytes(file: CapabilityFile): Uint8Array {
  const text = formatCapabilityFile(file)
  if (text.length <= MAX_FILE_LENGTH) return utf8ToBytes(text)
  throw new CapabilityError(
    'UCAN_FILE_FULL',
    `the capability file would have ${text.length} characters; at most ${MAX_FILE_LENGTH} are read`,
    { hint: "see what it holds with 'nunet cap list', and remove what is not needed" }
  )
}

function parse(content: Uint8Array): CapabilityFile {
  return parseCapabilityFile(decode(content))
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

function missing(name: string): CapabilityError {
  return new CapabilityError('UCAN_FILE_MISSING', `there is no capability context '${name}'`, {
    hint: `make one with 'nunet cap new ${name}'`,
    details: { name }
  })
}
