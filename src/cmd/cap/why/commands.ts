import type { KeyType } from '../../../lib/crypto/index.ts'
import { publicKeyOfDid } from '../../../lib/did/index.ts'
import { formatTokenList } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { type WalletKind, walletKindOf } from '../../session/wallet-name.ts'
import { listWord, shellWord } from '../words.ts'
import type { Step } from './types.ts'

/** One command line and who has to run it. */
export interface MendCommand {
  readonly by: Did
  /** Name of that party's context, when it is on this machine. */
  readonly context: string | undefined
  readonly line: string
  /** False when something in angle brackets is left to fill in. */
  readonly isComplete: boolean
}

/** Stands for the name of a context on another machine, and for what an earlier command printed. */
const CONTEXT_ELSEWHERE = '<context>'
const TOKEN_FROM_ABOVE = "'<token list>'"

/** The commands of a step, in order. Parties of this machine need one, since it can feed the token to its anchoring. */
export function commandsOf({ issue, anchor }: Step, names: ReadonlyMap<Did, string>): MendCommand[] {
  const issuer = contextFor(issue.issuer, names)
  const owner = contextFor(anchor.owner, names)
  const commands: MendCommand[] = []
  const add = (
    by: Did,
    context: string | undefined,
    line: string,
    isComplete = context !== undefined
  ): void => {
    commands.push({ by, context, line, isComplete })
  }
  if (issue.holdFirst !== undefined)
    add(issue.issuer, issuer, anchorLine(issuer, 'provide', shellWord(formatTokenList([issue.holdFirst]))))
  const issuing = issueLine(issue, issuer)
  const isOneHand = issue.issuer === anchor.owner
  if (isOneHand || (issuer !== undefined && owner !== undefined)) {
    add(anchor.owner, owner, anchorLine(owner, anchor.as, `"$(${issuing})"`))
    return commands
  }
  add(issue.issuer, issuer, issuing)
  add(anchor.owner, owner, anchorLine(owner, anchor.as, TOKEN_FROM_ABOVE), false)
  return commands
}

/** What `-c` must say: the context of a wallet's key is told by the kind of the key (identity-and-actors §2.5, §2.6). */
function contextFor(did: Did, names: ReadonlyMap<Did, string>): string | undefined {
  const name = names.get(did)
  if (name === undefined || walletKindOf(name) !== undefined || !did.startsWith('did:key:')) return name
  const wallet = WALLET_OF[publicKeyOfDid(did).type]
  return wallet === undefined ? name : `${wallet}:${name}`
}

const WALLET_OF: Readonly<Partial<Record<KeyType, WalletKind>>> = { Eth: 'ledger', Cardano: 'eternl' }

function issueLine(issue: Step['issue'], context: string | undefined): string {
  const words = ['nunet', 'cap', issue.form, '-c', contextWord(context), '--cap', listWord(issue.capability)]
  if (issue.topic !== undefined) words.push('--topic', listWord(issue.topic))
  if (issue.audience !== undefined) words.push('--audience', shellWord(issue.audience))
  words.push(...(issue.duration === 'auto' ? ['--auto-expire'] : ['--duration', issue.duration]))
  return [...words, shellWord(issue.subject)].join(' ')
}

function anchorLine(context: string | undefined, as: 'provide' | 'require', value: string): string {
  return `nunet cap anchor -c ${contextWord(context)} --${as} ${value}`
}

function contextWord(name: string | undefined): string {
  return name === undefined ? CONTEXT_ELSEWHERE : shellWord(name)
}
