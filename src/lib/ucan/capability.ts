/**
 * Capability and topic names (identity-and-actors §5.1): both follow the same rule.
 *
 * Verdicts for odd names. They are compared exactly as written, code unit by code unit, and never normalised: a
 * normaliser in front of a signature is a second reading that an attacker can aim at.
 *
 * | name | received | issued here |
 * | --- | --- | --- |
 * | empty | the token is refused (`UCAN_EMPTY_CAPABILITY`): read by the rule it would imply every path | never |
 * | trailing `/` | `/public/` implies itself and `/public//x` only, not `/public/hello` | never |
 * | `//` inside | an ordinary, different name | never |
 * | `.` and `..` segments | ordinary segments: `/a/..` is below `/a` and implies nothing above it | never |
 * | other Unicode forms | different names | only in NFC |
 * | the same name twice | as once | as asked |
 */

import { CapabilityError } from './errors.ts'
import type { Capability } from './types.ts'

/** Whether holding `held` is enough for `asked`: equal, or `/`, or a path prefix at a segment border. */
export function impliesCapability(held: Capability, asked: Capability): boolean {
  if (held === '') return false // stricter than §5.1: the empty name never grants
  if (held === asked || held === '/') return true
  return asked.length > held.length && asked[held.length] === '/' && asked.startsWith(held)
}

/** Whether one of `held` implies `asked`. */
export function anyImplies(held: readonly Capability[], asked: Capability): boolean {
  return held.some(name => impliesCapability(name, asked))
}

/** All names that imply `asked`, shortest first: so an index by name finds every grant without scanning. */
export function impliedBy(asked: Capability): Capability[] {
  const names: Capability[] = ['/']
  for (let at = asked.indexOf('/', 1); at !== -1; at = asked.indexOf('/', at + 1))
    names.push(asked.slice(0, at))
  if (asked !== '/') names.push(asked)
  return names
}

/**
 * Refuses names that must not be issued; see the table above.
 * @throws CapabilityError UCAN_INVALID_REQUEST
 */
export function requireIssuable(name: Capability): void {
  const fault = issueFault(name)
  if (fault === undefined) return
  throw new CapabilityError('UCAN_INVALID_REQUEST', `'${name}' cannot be granted: ${fault}`, {
    hint: "write an absolute path such as '/dms/deployment'"
  })
}

function issueFault(name: Capability): string | undefined {
  if (name === '/') return undefined
  if (name === '') return 'a name must not be empty'
  if (!name.startsWith('/')) return "a name must start with '/'"
  if (name.normalize('NFC') !== name) return 'a name must be in Unicode form NFC'
  const segments = name.slice(1).split('/')
  if (segments.includes('')) return "a name must not end in '/' or contain '//'"
  if (segments.includes('.') || segments.includes('..')) return "'.' and '..' are not allowed"
  return undefined
}
