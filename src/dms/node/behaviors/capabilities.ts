/**
 * What the node trusts, for its administrators (identity-and-actors §4.5, cli-api-config §6.9), and what it knows of
 * revocations. Members are named as the existing system names them; names of its requests were read in part only, so
 * they are matched without regard to case, as Go does.
 */

import { z } from 'zod'
import { exactJson, MAX_PAYLOAD_BYTES } from '../../../actor/index.ts'
import { parseDid } from '../../../lib/did/index.ts'
import {
  type Anchors,
  type CapabilityContext,
  formatToken,
  formatTokenList,
  type Token
} from '../../../lib/ucan/index.ts'
import type { Clock, Did, Handle, Result } from '../../../types/index.ts'
import { errorMessage, isoTime, ok, refusal, refuse, renderRefusal } from '../../../utils/index.ts'
import {
  type AnchorKeeper,
  type NewAnchors,
  type OfferReport,
  type Revocations,
  readFewOffers,
  readTokens
} from '../../revocation/index.ts'
import { type Declaration, declare, noPayload } from '../declare.ts'

export interface CapabilityBehaviorDeps {
  context: Pick<CapabilityContext, 'anchors'>
  keeper: AnchorKeeper
  revocations: Revocations
  clock: Clock
}

/** How long a broadcast waits for those who confirm it: gossip takes about a second to cross a network. Milliseconds. */
const CONFIRM_MS = 3000

/** Anchors in one request. */
const MAX_ANCHORS_PER_REQUEST = 256

/** Revocations in one page of the list: each may have 4 KiB. */
const MAX_LISTED = 128

/** Bytes of a list's reply kept for roots and for what is not tokens. */
const LIST_MARGIN = 100_000

/** Any object, its member names in lower case. What is in it is read by hand, because tokens need their digits. */
const members = z
  .record(z.string().max(64), z.unknown())
  .transform(value =>
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]))
  )

type Members = z.infer<typeof members>

interface Answer {
  readonly OK: boolean
  readonly Error: string
}

const failed = ({ message }: { message: string }): Answer => ({ OK: false, Error: message })

export function capabilityBehaviors(deps: CapabilityBehaviorDeps): Declaration[] {
  return [listAnchors(deps), ...addAnchors(deps), ...revoke(deps), ...knowledge(deps)]
}

function listAnchors({ context: { anchors }, revocations, clock }: CapabilityBehaviorDeps): Declaration {
  return declare({
    path: '/dms/cap/list',
    request: noPayload,
    handle: () => ({
      OK: true,
      Error: '',
      Roots: anchors.roots.map(uri => ({ uri })),
      ...listed(anchors),
      // An extension: how far the list of revocations can be relied on.
      Knowledge: knowledgeOf(revocations, clock)
    }),
    onError: failed
  })
}

/**
 * The token lists as values that print with all their digits. One message must hold them: what does not fit, last of
 * all revocations, is left out and counted in `Omitted`.
 */
function listed(anchors: Pick<Anchors, 'require' | 'provide' | 'revoke'>): Record<string, unknown> {
  let left = MAX_PAYLOAD_BYTES - LIST_MARGIN
  let omitted = 0
  const list = (tokens: readonly Token[]): unknown => {
    const texts: string[] = []
    for (const token of tokens) {
      const text = formatToken(token)
      left -= Buffer.byteLength(text) + 1
      if (left >= 0) texts.push(text)
      else omitted++
    }
    return exactJson(texts.length === 0 ? '{}' : `{"tok":[${texts.join(',')}]}`)
  }
  const lists = {
    Require: list(anchors.require),
    Provide: list(anchors.provide),
    Revoke: list(anchors.revoke)
  }
  return omitted === 0 ? lists : { ...lists, Omitted: omitted }
}

function addAnchors(deps: CapabilityBehaviorDeps): Declaration[] {
  const anchoring = (path: string, read: (request: Members) => Result<NewAnchors>): Declaration =>
    declare({
      path,
      request: members,
      exact: true,
      handle: async ({ payload, from, proof }) =>
        answerOf(await addAll(deps, read(payload), bringer(from, proof))),
      onError: failed
    })
  return [
    // The first form: everything in one request. The existing node passes `Root` over; here it counts, since a require
    // anchor for '/' does the same: whoever may add anchors of that kind has every power over this node.
    anchoring('/dms/cap/anchor', request => {
      const roots = readDids(request['root'])
      const [require, provide, revoked] = ['require', 'provide', 'revoke'].map(name =>
        readTokens(request[name])
      )
      if (!roots.ok) return roots
      if (!require?.ok) return require ?? nothing()
      if (!provide?.ok) return provide ?? nothing()
      if (!revoked?.ok) return revoked ?? nothing()
      return bounded({
        roots: roots.value,
        require: require.value,
        provide: provide.value,
        revoke: revoked.value
      })
    }),
    anchoring('/dms/cap/root/anchor', request => {
      const roots = readDids(request['did'] ?? request['root'])
      return roots.ok ? bounded({ roots: roots.value }) : roots
    }),
    ...(['require', 'provide', 'revoke'] as const).map(kind =>
      anchoring(`/dms/cap/${kind}/anchor`, request => {
        const tokens = readTokens(request['token'])
        return tokens.ok ? bounded({ [kind]: tokens.value }) : tokens
      })
    )
  ]
}

/** Into the file, then into force. */
async function addAll(
  { keeper, revocations }: CapabilityBehaviorDeps,
  read: Result<NewAnchors>,
  from: string
): Promise<Result<void>> {
  if (!read.ok) return read
  const { revoke = [], ...others } = read.value
  // All or nothing: where there is more than revocations, the registry finds them once they are in force.
  if (Object.values(others).some(list => list.length > 0)) return await keeper.add(read.value)
  const offers = revoke.map(revocation => ({ revocation }))
  return verdictOf(await revocations.registry.addByHand(offers, from))
}

/** Who brings it, for those who look later: a sender merely claims its DID, the issuer of its token has shown it. */
function bringer(from: Handle, proof: Token | undefined): string {
  return proof?.issuer ?? from.did
}

function verdictOf({ refused }: OfferReport): Result<void> {
  const [first] = refused
  return first === undefined ? ok(undefined) : refuse(first)
}

function answerOf(result: Result<void>): Answer {
  return result.ok ? { OK: true, Error: '' } : { OK: false, Error: renderRefusal(result.error) }
}

function nothing(): Result<never> {
  return refuse(refusal('CAP_NOTHING', 'the request names no anchor'))
}

function bounded(anchors: NewAnchors): Result<NewAnchors> {
  const count = Object.values(anchors).reduce((sum, list) => sum + list.length, 0)
  if (count === 0) return nothing()
  if (count <= MAX_ANCHORS_PER_REQUEST) return ok(anchors)
  return refuse(
    refusal('CAP_TOO_MANY', `a request holds at most ${MAX_ANCHORS_PER_REQUEST} anchors, not ${count}`)
  )
}

/** DIDs as objects or texts, in a list or alone. */
function readDids(value: unknown): Result<Did[]> {
  if (value === undefined || value === null) return ok([])
  try {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value]
    return ok(items.slice(0, MAX_ANCHORS_PER_REQUEST + 1).map(readDid))
  } catch (error) {
    return refuse(refusal('CAP_DID', `not a DID: ${errorMessage(error)}`))
  }
}

function readDid(value: unknown): Did {
  const text = typeof value === 'object' && value !== null && 'uri' in value ? value.uri : value
  return parseDid(typeof text === 'string' ? text : '')
}

function revoke({ revocations }: CapabilityBehaviorDeps): Declaration[] {
  return [
    declare({
      path: '/dms/cap/revoke/broadcast',
      request: members,
      exact: true,
      // `Proof` is an extension: the tokens that are revoked, for nodes that cannot know their issuer.
      handle: async ({ payload, from, proof, signal }) => {
        const offers = readFewOffers(payload['token'], payload['proof'])
        const read = offers.ok && offers.value.length === 0 ? nothing() : offers
        if (!read.ok) return answerOf(read)
        const verdict = verdictOf(await revocations.registry.addByHand(read.value, bringer(from, proof)))
        if (!verdict.ok) return answerOf(verdict)
        const told = await revocations.broadcast(read.value, CONFIRM_MS, signal)
        const counts = { OK: true, Error: '', Listeners: told.listeners, Confirmed: told.confirmed }
        return told.refused === undefined ? counts : { ...counts, Refused: told.refused }
      },
      onError: failed
    })
  ]
}

function knowledge({ revocations, clock }: CapabilityBehaviorDeps): Declaration[] {
  const page = z.object({
    Limit: z.number().int().min(0).max(MAX_LISTED).nullish(),
    Offset: z.number().int().min(0).nullish()
  })
  return [
    declare({
      path: '/dms/cap/revocation/status',
      request: noPayload,
      handle: () => ({ OK: true, Error: '', ...knowledgeOf(revocations, clock) }),
      onError: failed
    }),
    declare({
      path: '/dms/cap/revocation/list',
      request: page,
      handle: ({ payload }) => {
        const offset = payload.Offset ?? 0
        const found = revocations.registry.list(payload.Limit || MAX_LISTED, offset)
        return {
          OK: true,
          Error: '',
          Total: revocations.registry.ledger.size,
          Revocations: found.map(({ revocation, learntAtMs, learntFrom }) => ({
            Token: exactJson(formatTokenList([revocation])),
            Learnt: isoTime(learntAtMs),
            From: learntFrom
          }))
        }
      },
      onError: failed
    })
  ]
}

function knowledgeOf(revocations: Revocations, clock: Clock): Record<string, unknown> {
  const { isCurrent, knownAsOfMs, count, turnedAway } = revocations.status
  const known = knownAsOfMs === undefined ? {} : { KnownAsOf: isoTime(knownAsOfMs) }
  const age =
    knownAsOfMs === undefined
      ? {}
      : { AgeSeconds: Math.max(0, Math.round((clock.nowMs() - knownAsOfMs) / 1000)) }
  return { Current: isCurrent, ...known, ...age, Count: count, TurnedAway: turnedAway }
}
