/** The JSON form of `nunet cap inspect`. Numbers of 64 bits keep each digit. */

import type { Token } from '../../../lib/ucan/index.ts'
import type { Did, Refusal, Result } from '../../../types/index.ts'
import { bytesToHex } from '../../../utils/index.ts'
import type { ContextView, Judged, JudgedLink } from './judge.ts'

type Names = ReadonlyMap<Did, string>

/** To be printed with `printPlain`, which keeps the digits of a bigint. */
export function reportOf(judged: readonly Judged[], names: Names): unknown {
  return {
    valid: judged.every(({ verdict }) => verdict.ok),
    tokens: judged.map(({ links, verdict, inContext }) => ({
      valid: verdict.ok,
      refusal: refusalOf(verdict),
      links: links.map(link => linkOf(link, names)),
      context: inContext && contextOf(inContext)
    }))
  }
}

function linkOf({ token, fault }: JudgedLink, names: Names): unknown {
  return {
    id: idOf(token),
    action: token.action,
    issuer: token.issuer,
    issuerName: names.get(token.issuer),
    subject: token.subject,
    subjectName: names.get(token.subject),
    audience: token.audience,
    capabilities: token.capabilities ?? [],
    topics: token.topics,
    depth: token.depth,
    exp: token.expiresAtNs,
    refusal: fault
  }
}

function contextOf({ name, held, admission, takesBack }: ContextView): unknown {
  return { name, held, accepted: admission.ok, refusal: refusalOf(admission), takesBack }
}

function refusalOf(result: Result<void>): Refusal | undefined {
  return result.ok ? undefined : result.error
}

/** What an anchor is called in `nunet cap remove`: its nonce in hexadecimal digits. */
export function idOf(token: Token): string | undefined {
  return token.nonce === null ? undefined : bytesToHex(token.nonce)
}
