/**
 * The capability file (identity-and-actors §4.1): one line of compact JSON. Existing clients fail on a single bad
 * token, so what cannot be used is moved to the member `aside`, which they ignore, and is tried again at each load.
 */

import type { Did, Result } from '../../types/index.ts'
import {
  type GoJsonObject,
  type GoJsonValue,
  goJsonString,
  goMember,
  parseGoJson,
  SyntaxFault
} from '../../utils/index.ts'
import { MAX_FILE_LENGTH } from './constants.ts'
import { CapabilityError } from './errors.ts'
import {
  formatDid,
  formatTokenList,
  listItems,
  MAX_JSON_DEPTH,
  readDid,
  readDidValue,
  reading,
  readToken
} from './token-json.ts'
import type { CapabilityContext, CapabilityFile, SetAside, Token } from './types.ts'

const LISTS = ['roots', 'require', 'provide', 'revoke'] as const

/** A context file without anchors. */
export function emptyCapabilityFile(did: Did): CapabilityFile {
  return { did, roots: [], require: [], provide: [], revoke: [], setAside: [] }
}

/** The anchors of a context as a file; `setAside` is what `createCapabilityContext` gave back. */
export function contextToFile(
  context: CapabilityContext,
  setAside: readonly SetAside[] = []
): CapabilityFile {
  const { roots, require, provide, revoke } = context.anchors
  return { did: context.owner, roots, require, provide, revoke, setAside }
}

/** One line and a newline, members in the order of §4.1. */
export function formatCapabilityFile(file: CapabilityFile): string {
  const members = [
    `"did":${formatDid(file.did)}`,
    `"roots":[${file.roots.map(formatDid).join(',')}]`,
    `"require":${formatTokenList(file.require)}`,
    `"provide":${formatTokenList(file.provide)}`,
    `"revoke":${formatTokenList(file.revoke)}`
  ]
  if (file.setAside.length > 0) members.push(`"aside":[${file.setAside.map(formatAside).join(',')}]`)
  return `{${members.join(',')}}\n`
}

function formatAside(entry: SetAside): string {
  return `{"list":"${entry.list}","text":${goJsonString(entry.text)}}`
}

/**
 * Reads a capability file; member names in any case (older files capitalise them).
 * @throws CapabilityError UCAN_FILE_CORRUPT when it is not one at all.
 */
export function parseCapabilityFile(text: string): CapabilityFile {
  try {
    const object = parseGoJson(text, { maxLength: MAX_FILE_LENGTH, maxDepth: MAX_JSON_DEPTH + 4 })
    if (!(object instanceof Map)) throw new SyntaxFault('it is not a JSON object')
    const did = readDid(object, 'did')
    if (did === undefined) throw new SyntaxFault('its owner "did" is missing')
    return readLists(did, object)
  } catch (cause) {
    if (!(cause instanceof SyntaxFault)) throw cause
    throw new CapabilityError('UCAN_FILE_CORRUPT', `the capability file is damaged: ${cause.message}`, {
      cause,
      hint: "restore one of its backups '<context>.cap.<time>' from the same directory"
    })
  }
}

interface Lists {
  roots: Did[]
  require: Token[]
  provide: Token[]
  revoke: Token[]
}

function readLists(did: Did, object: GoJsonObject): CapabilityFile {
  const lists: Lists = { roots: [], require: [], provide: [], revoke: [] }
  const setAside: SetAside[] = []
  const take = (list: SetAside['list'], item: GoJsonValue, text: () => string): void => {
    const verdict = takeItem(lists, list, item)
    if (!verdict.ok) setAside.push({ list, text: text(), reason: verdict.error })
  }
  for (const list of LISTS) {
    for (const item of itemsOf(list, object)) take(list, item, () => jsonText(item))
  }
  for (const { list, text } of asideOf(object)) take(list, reparse(text), () => text)
  return { did, ...lists, setAside }
}

function takeItem(lists: Lists, list: SetAside['list'], item: GoJsonValue): Result<void> {
  return reading(() => {
    if (list !== 'roots') lists[list].push(readToken(item, 0))
    else lists.roots.push(readDidValue(item, 'roots') ?? missingRoot())
  })
}

function missingRoot(): never {
  throw new SyntaxFault('a root anchor is empty')
}

function itemsOf(list: SetAside['list'], object: GoJsonObject): GoJsonValue[] {
  const value = goMember(object, list) ?? null
  if (value === null) return []
  if (list !== 'roots') return listItems(value)
  if (!Array.isArray(value)) throw new SyntaxFault('"roots" must be a list')
  return value
}

function asideOf(object: GoJsonObject): { list: SetAside['list']; text: string }[] {
  const items = goMember(object, 'aside')
  if (!Array.isArray(items)) return []
  return items.flatMap(item => {
    if (!(item instanceof Map)) return []
    const list = LISTS.find(name => name === item.get('list'))
    const text = item.get('text')
    return list !== undefined && typeof text === 'string' ? [{ list, text }] : []
  })
}

/** The value of a text set aside; `null`, which is no token, when it is not even JSON. */
function reparse(text: string): GoJsonValue {
  const value = reading(() => parseGoJson(text, { maxLength: MAX_FILE_LENGTH, maxDepth: MAX_JSON_DEPTH }))
  return value.ok ? value.value : null
}

/** Prints a value as it was read. */
function jsonText(value: GoJsonValue): string {
  if (typeof value === 'string') return goJsonString(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  if (!(value instanceof Map)) return String(value)
  return `{${[...value].map(([name, member]) => `${goJsonString(name)}:${jsonText(member)}`).join(',')}}`
}
