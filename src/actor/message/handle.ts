/** Handles in their JSON form (identity-and-actors §8.1), where the empty handle is `{"id":{"pub":""},"did":{},"addr":{}}`. */

import { parseActorId, parsePeerId } from '../../lib/crypto/index.ts'
import { didOfActorId, parseDid } from '../../lib/did/index.ts'
import type { Handle, Result } from '../../types/index.ts'
import {
  errorMessage,
  type GoJsonObject,
  type GoJsonValue,
  goJsonString,
  goMember,
  ok,
  refusal,
  refuse,
  SyntaxFault
} from '../../utils/index.ts'
import { MAX_INBOX_LENGTH } from './constants.ts'

/** A handle as a JSON value, members in wire order. */
export interface HandleWire {
  readonly id: { readonly pub: string }
  readonly did: { readonly uri?: string }
  readonly addr: { readonly host?: string; readonly inbox?: string }
}

/** The JSON value of a handle: `JSON.stringify` of it is what `GET /actor/handle` answers. */
export function handleToWire(handle: Handle): HandleWire {
  const { host, inbox } = handle.address
  return {
    id: { pub: handle.id },
    did: handle.did === '' ? {} : { uri: handle.did },
    addr: { ...(host === '' ? {} : { host }), ...(inbox === '' ? {} : { inbox }) }
  }
}

/** Reads a handle from a parsed JSON value. Refusal `ACTOR_HANDLE_MALFORMED` says which part does not fit. */
export function handleFromWire(value: unknown): Result<Handle> {
  try {
    return ok(readHandle(toGoJson(value, 0)))
  } catch (error) {
    return refuse(refusal('ACTOR_HANDLE_MALFORMED', `not a handle: ${errorMessage(error)}`))
  }
}

/** Go's display form, `<did of id>[<did>]@<host>:<inbox>` (§1.5). For people and logs only: nothing reads it. */
export function formatHandle(handle: Handle): string {
  if (isEmptyHandle(handle)) return '(anyone)'
  const idDid = handle.id === '' ? '' : didOfActorId(handle.id)
  return `${idDid}[${handle.did}]@${handle.address.host}:${handle.address.inbox}`
}

/** True for the destination of a broadcast. */
export function isEmptyHandle(handle: Handle): boolean {
  return handle.id === '' && handle.did === '' && handle.address.host === '' && handle.address.inbox === ''
}

/** All four parts are equal (§8.1). */
export function handlesEqual(a: Handle, b: Handle): boolean {
  return (
    a.id === b.id &&
    a.did === b.did &&
    a.address.host === b.address.host &&
    a.address.inbox === b.address.inbox
  )
}

/** The handle as it stands in signed bytes. */
export function encodeHandle(handle: Handle): string {
  const { host, inbox } = handle.address
  const did = handle.did === '' ? '{}' : `{"uri":${goJsonString(handle.did)}}`
  const address = [
    ...(host === '' ? [] : [`"host":${goJsonString(host)}`]),
    ...(inbox === '' ? [] : [`"inbox":${goJsonString(inbox)}`])
  ]
  return `{"id":{"pub":${goJsonString(handle.id)}},"did":${did},"addr":{${address.join(',')}}}`
}

/** Reads a handle. Absent parts are empty, as in Go. @throws SyntaxFault and the faults of the identifier parsers. */
export function readHandle(value: GoJsonValue | undefined): Handle {
  const handle = objectOf(value, 'handle')
  const id = memberText(objectOf(goMember(handle, 'id'), 'id'), 'pub')
  const did = memberText(objectOf(goMember(handle, 'did'), 'did'), 'uri')
  const address = objectOf(goMember(handle, 'addr'), 'addr')
  const host = memberText(address, 'host')
  return {
    id: id === '' ? '' : parseActorId(id),
    did: did === '' ? '' : parseDid(did),
    address: { host: host === '' ? '' : parsePeerId(host), inbox: checkInbox(memberText(address, 'inbox')) }
  }
}

/**
 * An inbox becomes part of a protocol name, so it must not be able to name another protocol.
 * @throws SyntaxFault
 */
export function checkInbox(inbox: string): string {
  if (inbox.length > MAX_INBOX_LENGTH)
    throw new SyntaxFault(`inbox is longer than ${MAX_INBOX_LENGTH} characters`)
  if (!/^[\x21-\x2e\x30-\x7e]*$/.test(inbox)) {
    throw new SyntaxFault('inbox holds something else than visible ASCII characters without "/"')
  }
  return inbox
}

/** A member that is an object; absent and `null` read as the empty one. */
export function objectOf(value: GoJsonValue | undefined, what: string): GoJsonObject {
  if (value === undefined || value === null) return new Map()
  if (value instanceof Map) return value
  throw new SyntaxFault(`'${what}' must be an object`)
}

/** A member that is text; absent and `null` read as empty. */
export function memberText(object: GoJsonObject, name: string): string {
  const value = goMember(object, name)
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw new SyntaxFault(`'${name}' must be a string`)
}

/** Plain JSON values in the shape of the exact reader; a handle nests two deep. */
function toGoJson(value: unknown, depth: number): GoJsonValue {
  if (value === null || typeof value === 'string') return value
  if (typeof value !== 'object' || Array.isArray(value))
    throw new SyntaxFault('expected an object of strings')
  if (depth > 3) throw new SyntaxFault('nested too deep')
  return new Map(Object.entries(value).map(([name, member]) => [name, toGoJson(member, depth + 1)]))
}
