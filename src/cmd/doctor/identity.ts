/** Checks of what lies in the user directory: permissions, keys, capability contexts. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AnchorRole,
  announcement,
  effectOf,
  endingsOf,
  endOf,
  renewalOf
} from '../../dms/expiry/index.ts'
import { createKeyStore } from '../../lib/crypto/index.ts'
import { type CapabilityFile, createCapabilityStore, formatToken, type Token } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { errorCode, errorMessage, NuError } from '../../utils/index.ts'
import { fileAccess } from '../session/context-file.ts'
import { keyLookup, openContext } from '../session/did-keys.ts'
import { nearEndings } from '../session/endings.ts'
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
  patient: Patient,
  name: string,
  { file, problem }: Loaded
): Promise<Finding[]> {
  const { cli, config } = patient
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
  const endings = await endingSoon(patient, name, file)
  if (problems.length > 0) {
    const [first] = problems
    const detail = `${problems.length} entries do not count: ${first?.message ?? ''}`
    return [finding(label, 'warn', detail, 'get new tokens and anchor them'), ...endings]
  }
  const counts = `${file.roots.length} root, ${file.require.length} require, ${file.provide.length} provide`
  return [finding(label, 'ok', counts), ...endings]
}

/** Tokens that would be missed; one that a longer-lived one covers is no matter. */
async function endingSoon(
  { cli, config }: Patient,
  context: string,
  file: CapabilityFile
): Promise<Finding[]> {
  const names = { owner: file.did, context }
  const nowMs = cli.clock.nowMs()
  const near = await nearEndings(cli, config, names, file)
  const soon = endingsOf(file, file.did, nowMs).filter(({ endsAtMs }) => endsAtMs - nowMs < SOON_MS)
  const [first] = [...near, ...soon].sort((a, b) => a.endsAtMs - b.endsAtMs)
  if (first === undefined) return []
  const { role, token, endsAtMs } = first
  const count = new Set([...near, ...soon].map(({ token: each }) => formatToken(each))).size
  const others = count > 1 ? `${count} tokens end soon; the first ` : ''
  const renewal = renewalOf(role, token, names).map(({ by, command }) => `${by}: ${command}`)
  const detail = `${others}${announcement(effectOf(role, token), endsAtMs, nowMs)}`
  return [finding(`context '${context}' expiry`, 'warn', detail, renewal.join('; then '))]
}

/** What the node needs to obey its owner and to deal with others. */
function checkNode(patient: Patient, node: Loaded, owner: Did | undefined): Finding[] {
  const { nodeContext, userContext, cli } = patient
  const { file } = node
  if (file === undefined) return []
  const nowMs = cli.clock.nowMs()
  const obeys = owner !== undefined && file.roots.includes(owner)
  const anchor = `nunet cap anchor -c ${nodeContext} --root ${owner ?? '<DID>'}`
  return [
    finding(
      'owner',
      obeys ? 'ok' : 'fail',
      obeys ? `'${nodeContext}' obeys '${userContext}'` : `'${nodeContext}' does not obey '${userContext}'`,
      anchor
    ),
    countInForce('accepts others', 'require', file.require, nowMs, {
      none: 'nobody else may deploy here',
      fix: 'join a network: nunet up --trust <DID of the organisation>'
    }),
    countInForce('accepted by others', 'provide', file.provide, nowMs, {
      none: 'other nodes will not take your deployments',
      fix: 'ask the organisation for a token: nunet up --provide-token <file>'
    })
  ]
}

/** What has ended does not count: a node whose last token is over is not well. */
function countInForce(
  name: string,
  role: AnchorRole,
  tokens: readonly Token[],
  nowMs: number,
  { none, fix }: { none: string; fix: string }
): Finding {
  const live = tokens.filter(token => endOf(token) >= nowMs).length
  if (live > 0) return finding(name, 'ok', `${live} ${role} tokens`)
  const what = tokens.length > 0 ? `all ${tokens.length} ${role} tokens have ended` : `no ${role} token`
  return finding(name, tokens.length > 0 ? 'fail' : 'warn', `${what}: ${none}`, fix)
}
