/** Which keys of the user directory sign for a PRISM DID (§2.7): `<user dir>/prism_did_map.json`, key name → DID. */

import { join } from 'node:path'
import type { AbortOptions, Clock, Did, FileStore } from '../../types/index.ts'
import { readNameMap, updateNameMap } from '../../utils/index.ts'
import type { PublicKey } from '../crypto/index.ts'
import { didMethod, isDid } from './did.ts'
import { publicKeyOfDid } from './did-key.ts'
import type { Signer } from './types.ts'

const FILE_NAME = 'prism_did_map.json'

/** The PRISM DID of a key; `undefined` for a key that signs for its own `did:key`. @throws FileStoreError */
export async function prismDidOf(
  files: Pick<FileStore, 'read'>,
  userDirectory: string,
  name: string
): Promise<Did | undefined> {
  return (await readNameMap(files, join(userDirectory, FILE_NAME), readPrismDid)).get(name)
}

/** Has a key sign for a PRISM DID from now on, or for its own DID again when there is none. @throws FileStoreError */
export async function bindPrismDid(
  deps: { files: FileStore; clock: Pick<Clock, 'nowMs'> },
  userDirectory: string,
  binding: { readonly name: string; readonly did: Did | undefined },
  options: AbortOptions = {}
): Promise<void> {
  const { name, did } = binding
  // Most directories have no such file; a key without binding does not make one.
  if (did === undefined && (await prismDidOf(deps.files, userDirectory, name)) === undefined) return
  const change = (map: Map<string, Did>): void => {
    if (did === undefined) map.delete(name)
    else map.set(name, did)
  }
  await updateNameMap(deps, join(userDirectory, FILE_NAME), readPrismDid, change, options)
}

/** The same key, signing for another DID that its owner has published it for. @throws DidError for a signer of no `did:key` */
export function signerFor(did: Did, signer: Signer): Signer {
  const publicKey: PublicKey = publicKeyOfDid(signer.did)
  return { did, publicKey, sign: data => signer.sign(data) }
}

function readPrismDid(_name: string, value: unknown): Did | undefined {
  return isDid(value) && didMethod(value) === 'prism' ? value : undefined
}
