/** The commands that mend findings. */

import type { Capability } from '../../../lib/ucan/index.ts'
import { formatToken, type Token } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { bytesToHex } from '../../../utils/index.ts'
import { listWord, shellWord } from '../words.ts'
import type { Chart, Entry, Finding } from './types.ts'

/** How long a token that is issued anew should last: a quarter of a year. */
const NEW_DURATION = '2160h'

/** What `nunet cap remove` calls a token: its id, or the whole of it when another has the same. */
export function idOf(token: Token): string | undefined {
  return token.nonce === null || token.nonce.length === 0 ? undefined : bytesToHex(token.nonce)
}

/** Takes an anchor out of the context. */
export function removal(chart: Chart, { list, token }: Entry): Finding['mend'] {
  const id = idOf(token)
  const isUnique = id !== undefined && chart.file[list].filter(other => idOf(other) === id).length === 1
  const value = isUnique ? id : shellWord(formatToken(token))
  return own(`nunet cap remove -c ${shellWord(chart.name)} --${list} ${value}`)
}

/** A command for whoever runs lint. */
export function own(command: string): Finding['mend'] {
  return { command, by: undefined }
}

/** Other fields of a token that is issued in the place of an anchor. */
export interface Changes {
  readonly depth?: bigint
  readonly audience?: Did
}

/** The same right given once more, and anchored; the old anchor is removed when the new one replaces it at once. */
export function reissue(chart: Chart, entry: Entry, changes: Changes = {}): Finding['mend'] {
  const { list, token } = entry
  const issuer = chart.names.get(token.issuer)
  const issue = issueCommand(token, issuer, changes)
  const context = shellWord(chart.name)
  if (issuer === undefined) return { command: issue, by: token.issuer }
  const anchor = `nunet cap anchor -c ${context} --${list} "$(${issue})"`
  const isReplaced = Object.keys(changes).length > 0
  return own(isReplaced ? `${anchor} && ${removal(chart, entry).command}` : anchor)
}

function issueCommand(token: Token, issuer: string | undefined, changes: Changes): string {
  const form = token.chain === undefined ? 'grant' : 'delegate'
  const context = issuer === undefined ? '<context>' : shellWord(issuer)
  const words = ['nunet', 'cap', form, '-c', context]
  const add = (flag: string, names: readonly Capability[]): void => {
    for (const name of names) words.push(flag, listWord(name))
  }
  add('--cap', token.capabilities ?? [])
  add('--topic', token.topics)
  const audience = changes.audience ?? token.audience
  if (audience !== undefined) words.push('--audience', audience)
  const depth = changes.depth ?? token.depth
  if (depth > 0n) words.push('--depth', String(depth))
  return [...words, '--duration', NEW_DURATION, token.subject].join(' ')
}
