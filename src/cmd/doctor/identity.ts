/** Checks of what lies in the user directory: permissions, keys, capability contexts. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createKeyStore } from '../../lib/crypto/index.ts'
import { type CapabilityFile, chainExpiry, createCapabilityStore, type Token } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { errorCode, errorMessage, isoTime, NuError } from '../../utils/index.ts'
import { fileAccess } from '../session/context-file.ts'
import { keyLookup, openContext } from '../session/did-keys.ts'
import { userPaths } from '../session/paths.ts'
import { signsUnasked } from '../session/signer.ts'
import { type Check, type Finding, finding, type Patient } from './check.ts'

/** Tokens that end within this time are told. Milliseconds. */
const SOON_MS = 7 * 86_400_000

/** Bits of group and others: nobody else needs to look at keys and tokens. */
const OTHERS = 0o077

export const checkUserDirectory: Check = async ({ config }) => {
  const path = config.general.user_dir
  const found = await stat(path).catch(() => undefined)
  if (found === undefined)
    return finding('user directory', 'fail', `'${path}' is not there`, "make it with 'nunet up'")
  const { keys } = userPaths(config)
  const keyDirectory = await stat(keys).catch(() => undefined)
  const isOpen = ((keyDirectory ?? found).mode & OTHERS) !== 0
  return finding(
    'user directory',
    isOpen ? 'warn' : 'ok',
    isOpen ? `others may look into '${keys}'` : path,
    `chmod 700 '${keys}'`
  )
}

export const checkKeys: Check = async ({ cli, config, nodeContext, userContext }) => {
  const { keys: directory } = userPaths(config)
  const keys = createKeyStore(cli, { directory })
  return await Promise.all(
    [nodeContext, userContext].map(async name => {
      const label = `key '${name}'`
      if (!(await keys.exists(name))) {
        return finding(
          label,
          name === nodeContext ? 'fail' : 'warn',
          'is not there',
          `make it with 'nunet up' or 'nunet key new ${name}'`
        )
      }
      const { mode } = await stat(join(directory, `${name}.json`))
      if ((mode & OTHERS) !== 0)
        return finding(
          label,
          'warn',
          'others may read the file',
          `chmod 600 '${join(directory, `${name}.json`)}'`
        )
      return finding(label, 'ok', 'is there')
    })
  )
}

export const checkCapabilities: Check = async patient => {
  const { cli, config, globals, nodeContext, userContext } = patient
  const store = createCapabilityStore(cli, { directory: userPaths(config).capabilities })
  // A doctor asks nobody for a passphrase: a sealed context is opened when the key is at hand.
  const open = async (name: string): Promise<CapabilityFile | undefined> => {
    const request = { config, globals, name }
    const unasked = (await store.isSealed(name)) && (await signsUnasked(cli, request))
    return await store.load(name, unasked ? fileAccess(cli, request) : {})
  }
  const user = await load(() => open(userContext))
  const node = await load(() => open(nodeContext))
  return [
    ...(await describeContext(patient, userContext, user)),
    ...(await describeContext(patient, nodeContext, node)),
    ...checkNode(patient, node, await store.ownerOf(userContext).catch(() => undefined))
  ]
}

type Loaded = { readonly file: CapabilityFile | undefined; readonly problem?: Error }

async function load(read: () => Promise<CapabilityFile | undefined>): Promise<Loaded> {
  try {
    return { file: await read() }
  } catch (error) {
    return { file: undefined, problem: error instanceof Error ? error : new Error(String(error)) }
  }
}

/** Whether the file can be read, and whether each token in it still counts. */
async function describeContext(
  { cli, config }: Patient,
  name: string,
  { file, problem }: Loaded
): Promise<Finding[]> {
  const label = `context '${name}'`
  if (errorCode(problem) === 'UCAN_FILE_SEALED')
    return [finding(label, 'skip', 'is sealed', 'set DMS_PASSPHRASE to have it looked at')]
  if (problem !== undefined) {
    return [
      finding(
        label,
        'fail',
        errorMessage(problem),
        (problem instanceof NuError && problem.hint) || `make it anew with 'nunet cap new ${name}'`
      )
    ]
  }
  if (file === undefined)
    return [finding(label, 'fail', 'is not there', `make it with 'nunet up' or 'nunet cap new ${name}'`)]
  const { problems } = await openContext(cli, keyLookup(cli, config), { owner: file.did }, file)
  if (problems.length > 0) {
    const [first] = problems
    return [
      finding(
        label,
        'warn',
        `${problems.length} entries do not count: ${first?.message ?? ''}`,
        'get new tokens and anchor them'
      )
    ]
  }
  const counts = `${file.roots.length} root, ${file.require.length} require, ${file.provide.length} provide`
  return [
    finding(label, 'ok', counts),
    ...endingSoon(label, [...file.require, ...file.provide], cli.clock.nowMs())
  ]
}

function endingSoon(label: string, tokens: readonly Token[], nowMs: number): Finding[] {
  const ends = tokens
    .map(token => Number(chainExpiry(token) / 1_000_000n))
    .filter(end => end - nowMs < SOON_MS)
  if (ends.length === 0) return []
  return [
    finding(
      `${label} expiry`,
      'warn',
      `${ends.length} tokens end soon, the first at ${isoTime(Math.min(...ends))}`,
      'ask for new ones and anchor them'
    )
  ]
}

/** What the node needs to obey its owner and to deal with others. */
function checkNode({ nodeContext, userContext }: Patient, node: Loaded, owner: Did | undefined): Finding[] {
  const { file } = node
  if (file === undefined) return []
  const obeys = owner !== undefined && file.roots.includes(owner)
  const anchor = `nunet cap anchor -c ${nodeContext} --root ${owner ?? '<DID>'}`
  return [
    finding(
      'owner',
      obeys ? 'ok' : 'fail',
      obeys ? `'${nodeContext}' obeys '${userContext}'` : `'${nodeContext}' does not obey '${userContext}'`,
      anchor
    ),
    finding(
      'accepts others',
      file.require.length > 0 ? 'ok' : 'warn',
      file.require.length > 0
        ? `${file.require.length} require tokens`
        : 'no require token: nobody else may deploy here',
      'join a network: nunet up --trust <DID of the organisation>'
    ),
    finding(
      'accepted by others',
      file.provide.length > 0 ? 'ok' : 'warn',
      file.provide.length > 0
        ? `${file.provide.length} provide tokens`
        : 'no provide token: other nodes will not take your deployments',
      'ask the organisation for a token: nunet up --provide-token <file>'
    )
  ]
}
