import { type CapabilityFile, formatToken, type Token } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { memoize } from '../../../utils/index.ts'
import { admissionOf, linksOf } from './faults.ts'
import { type Circumstances, readHoldings } from './holdings.ts'
import { type Here, ownWordStep, stepsFor } from './mend.ts'
import { isOpen, rankRoutes } from './routes.ts'
import type { Explanation, Holdings, Question, Route, Step } from './types.ts'
import { judge } from './verdict.ts'

/** Routes looked at for a way that needs nobody else. */
const MAX_SHORTCUTS = 64

/** Contexts of this machine whose tokens are kept verified. */
const MAX_HOLDERS = 64

/** What is known of both sides. */
export interface Sides {
  readonly sender: CapabilityFile
  /** `undefined`: a receiver whose anchors are not known here. */
  readonly receiver: CapabilityFile | undefined
  /** Owners of the contexts of this machine, who can be helped with exact commands; sealed ones without a file. */
  readonly here: ReadonlyMap<Did, CapabilityFile | undefined>
}

/** Whether the question is answered with yes, by which way, and if not, what is missing. */
export async function explain(
  question: Question,
  sides: Sides,
  circumstances: Circumstances
): Promise<Explanation> {
  // What one side holds and what the other trusts: the rest need not be verified.
  const giving = { ...sides.sender, roots: [], require: [] }
  const taking = sides.receiver && { ...sides.receiver, provide: [] }
  const { presented, accepted, refusal } = await judge(question, giving, taking, circumstances)
  const sender = readHoldings(giving, circumstances)
  const receiver = taking && readHoldings(taking, circumstances)
  const isSent = (route: Route): boolean => isPresented(route, presented)
  const othersBeside = (route: Route): number =>
    presented.filter(token => token.chain !== undefined && covers(token, question)).length -
    (route.kind === 'chain' && isSent(route) ? 1 : 0)
  if (accepted !== undefined && receiver !== undefined) {
    const route = routeOf(accepted, question, sender, receiver)
    return {
      ...NO_STEPS,
      question,
      verdict: 'allowed',
      isReceiverKnown: true,
      route,
      others: othersBeside(route)
    }
  }
  const isHere = (did: Did): boolean => sides.here.has(did)
  const routes = rankRoutes(question, sender, receiver, isHere)
  const holderOf = memoize(MAX_HOLDERS, (did: Did): Holdings | undefined => {
    const file = sides.here.get(did)
    return file && readHoldings({ ...file, require: [] }, circumstances)
  })
  const verdict = receiver === undefined ? judgeFromAfar(routes, isSent) : 'refused'
  const found = nearest(question, routes, isSent, { isHere, holderOf })
  const isReceiverKnown = receiver !== undefined
  return { ...found, question, verdict, isReceiverKnown, others: othersBeside(found.route), refusal }
}

const NO_STEPS = { steps: [], shortcut: [], isCrowdedOut: false, refusal: undefined }

/** The way that was taken. */
function routeOf(accepted: Token, question: Question, sender: Holdings, receiver: Holdings): Route {
  const { chain } = accepted
  const links = chain === undefined ? [] : linksOf(chain, question, sender, receiver)
  const admission = admissionOf(
    links.map(({ token }) => token),
    question,
    receiver
  )
  return { kind: chain === undefined ? 'own' : 'chain', links, grantor: undefined, admission }
}

/** A message has room for few proofs (identity-and-actors §7.4); the sender's own word is always in it. */
function isPresented({ links }: Route, presented: readonly Token[]): boolean {
  const [newest] = links
  if (newest === undefined) return true
  const text = formatToken(newest.token)
  return presented.some(token => token.chain !== undefined && formatToken(token.chain) === text)
}

/** Not so a token by which a caller only shows whom it belongs to. */
function covers(token: Token, { behavior }: Question): boolean {
  return token.capabilities?.includes(behavior) === true
}

/** A receiver trusts what it gave itself; all else about it is not known. */
function judgeFromAfar(routes: readonly Route[], isSent: (route: Route) => boolean): Explanation['verdict'] {
  const isSure = routes.some(route => route.admission.by === 'owner' && isOpen(route) && isSent(route))
  return isSure ? 'allowed' : 'unknown'
}

function nearest(
  question: Question,
  routes: readonly Route[],
  isSent: (route: Route) => boolean,
  { isHere, holderOf }: { isHere: (did: Did) => boolean; holderOf: Here }
): { route: Route; steps: readonly Step[]; shortcut: readonly Step[]; isCrowdedOut: boolean } {
  const isCrowded = (candidate: Route): boolean => isOpen(candidate) && !isSent(candidate)
  const [first = OWN_WORD] = routes
  const instead = routes.find(other => other.kind === 'chain' && isOpen(other) && isSent(other))
  const route = isCrowded(first) && instead !== undefined ? instead : first
  const isCrowdedOut = isCrowded(route)
  const steps = isCrowdedOut ? [ownWordStep(question)] : stepsFor(route, question, holderOf)
  const shortcut = isAllHere(steps, isHere)
    ? undefined
    : routes
        .slice(0, MAX_SHORTCUTS)
        .map(other => stepsFor(other, question, holderOf))
        .find(other => isAllHere(other, isHere))
  return { route, steps, shortcut: shortcut ?? [], isCrowdedOut }
}

const OWN_WORD: Route = { kind: 'own', links: [], grantor: undefined, admission: { by: 'unknown' } }

function isAllHere(steps: readonly Step[], isHere: (did: Did) => boolean): boolean {
  return steps.every(({ issue, anchor }) => isHere(issue.issuer) && isHere(anchor.owner))
}
