import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory of one test; removed with everything in it when it is disposed. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
  /** A path inside it. */
  join(...parts: string[]): string
}

/** `await using directory = await temporaryDirectory()` */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'nunet-test-'))
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true })
  }
}
