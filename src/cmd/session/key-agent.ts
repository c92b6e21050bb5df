import type { Config } from '../../config/index.ts'
import type { Signer } from '../../lib/did/index.ts'
import type { Cli } from '../cli/command.ts'

/** Signs with a key that the key agent holds unlocked; `undefined` when no agent runs or the key is locked. */
export async function findUnlockedKey(
  _cli: Cli,
  _config: Config,
  _name: string
): Promise<Signer | undefined> {
  return undefined
}
