import { chainExpiry } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { admissionOf, linksOf } from './faults.ts'
import type { Admission, Holdings, Question, Route } from './types.ts'

/** Trusted parties whose grant is thought about. */
const MAX_GRANTORS = 1000

/**
 * All ways to a yes, nearest first. Near is: somebody there is known to the receiver; the delegations exist; few
 * different rules are broken; few delegations must be made anew; it lasts long.
 * @param isHere whether the identity of a DID is on this machine, so that its grant is one command away
 */
export function rankRoutes(
  question: Question,
  sender: Holdings,
  receiver: Holdings | undefined,
  isHere: (did: Did) => boolean
): Route[] {
  const admit = (delegations: Parameters<typeof admissionOf>[0]): Admission =>
    receiver === undefined
      ? admitUnknown(delegations, question)
      : admissionOf(delegations, question, receiver)
  const chains = sender.provide.map((parent): Route => {
    const links = linksOf(parent, question, sender, receiver)
    return { kind: 'chain', links, grantor: undefined, admission: admit(links.map(({ token }) => token)) }
  })
  const own: Route = { kind: 'own', links: [], grantor: undefined, admission: admit([]) }
  const missing = grantorsOf(receiver, question.sender).map(
    (grantor): Route => ({ kind: 'missing', links: [], grantor, admission: admit([{ issuer: grantor }]) })
  )
  return [...chains, own, ...missing]
    .map(route => ({ route, distance: distanceOf(route, isHere) }))
    .sort((a, b) => compare(a.distance, b.distance))
    .map(({ route }) => route)
}

/** Of a receiver that is not known here only one thing is: it trusts itself. */
function admitUnknown(delegations: Parameters<typeof admissionOf>[0], question: Question): Admission {
  const did = question.receiver
  const isOwner = question.sender === did || delegations.some(({ issuer }) => issuer === did)
  return isOwner ? { by: 'owner', did } : { by: 'unknown' }
}

/** Whose grant the receiver would take: those it names in require anchors, its roots, itself. */
function grantorsOf(receiver: Holdings | undefined, sender: Did): Did[] {
  if (receiver === undefined) return []
  const trusted = [...receiver.require.keys(), ...receiver.roots, receiver.owner]
  return [...new Set(trusted)].filter(did => did !== sender).slice(0, MAX_GRANTORS)
}

/** Whether the route lacks nothing. */
export function isOpen(route: Route): boolean {
  return route.kind !== 'missing' && brokenRules(route) === 0
}

/** Position of the delegation nearest to the root that must be made anew; -1 when all can stay. */
export function deepestFault({ links }: Pick<Route, 'links'>): number {
  return links.findLastIndex(link => link.faults.length > 0)
}

function brokenRules({ links, admission }: Route): number {
  const inChain = new Set(links.flatMap(link => link.faults.map(fault => fault.rule)))
  const atReceiver =
    admission.by === 'nothing' ? 1 : admission.by === 'require' ? admission.anchor.faults.length : 0
  return inChain.size + atReceiver
}

const KINDS: readonly Route['kind'][] = ['chain', 'own', 'missing']

/** Whether a receiver elsewhere trusts the sender itself is not known, so whatever was delegated comes first. */
function strangeness({ kind, admission }: Route): bigint {
  if (admission.by === 'nothing') return 2n
  if (admission.by !== 'unknown') return 0n
  return kind === 'own' ? 2n : 1n
}

/** Compared member by member, the first difference decides. */
function distanceOf(route: Route, isHere: (did: Did) => boolean): readonly bigint[] {
  const { kind, links, grantor } = route
  const [newest] = links
  const flag = (condition: boolean): bigint => (condition ? 1n : 0n)
  return [
    strangeness(route),
    flag(kind === 'missing'),
    BigInt(brokenRules(route)),
    flag(grantor !== undefined && !isHere(grantor)),
    BigInt(KINDS.indexOf(kind)),
    BigInt(deepestFault(route) + 1),
    newest === undefined ? 0n : -chainExpiry(newest.token)
  ]
}

function compare(a: readonly bigint[], b: readonly bigint[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0n
    if (value !== other) return value < other ? -1 : 1
  }
  return 0
}
