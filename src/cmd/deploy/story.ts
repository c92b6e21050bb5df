/**
 * What has become of a deployment so far, from its events. Pure: events in, lines and a verdict out, so that the
 * live view, the plain one and the exit code cannot disagree.
 */

import type { Refusal } from '../../types/index.ts'
import { oneLine } from '../cli/printable.ts'
import { shortId } from '../cli/table.ts'
import { isRecord, numberMember, type Reply, recordMember, textMember } from '../session/call.ts'

export interface DeploymentEvent {
  readonly sequence: number
  readonly atMs: number
  readonly type: string
  readonly data: Reply
}

/** One allocation as last heard of. */
export interface AllocationState {
  readonly name: string
  readonly status: string
  /** Progress within the status, for example `pulling busybox 43 %`. */
  readonly detail: string
  readonly peer: string
  readonly exitCode: number | undefined
  readonly reason: string
  readonly sinceMs: number
}

export class Story {
  readonly #allocations = new Map<string, AllocationState>()
  /** From node name to what is known of it before it has allocations. */
  readonly #nodes = new Map<string, string>()
  #status = 'Preparing'
  #error: Refusal | undefined
  #startedMs: number | undefined

  get status(): string {
    return this.#status
  }

  /** Why it failed. */
  get error(): Refusal | undefined {
    return this.#error
  }

  get allocations(): readonly AllocationState[] {
    return [...this.#allocations.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  /** Names of nodes that are still being placed, with how far that is. */
  get placing(): readonly (readonly [string, string])[] {
    return [...this.#nodes]
  }

  get startedMs(): number {
    return this.#startedMs ?? 0
  }

  /** Takes an event in; the lines say what is new to a person. */
  apply(event: DeploymentEvent): string[] {
    this.#startedMs ??= event.atMs
    const { type, data } = event
    if (type === 'status') return this.#applyStatus(data)
    if (type === 'bids') return this.#applyBids(data)
    if (type === 'declined')
      return [
        `provider ${shortId(textMember(data, 'peer')) || 'for this node'} declined: ${refusalText(data)}`
      ]
    if (type === 'candidate') return this.#applyCandidate(data)
    if (type === 'committed' || type === 'allocated')
      return this.#place(textMember(data, 'node'), `${type} at ${shortId(textMember(data, 'peer'))}`)
    if (type === 'allocation') return this.#applyAllocation(event)
    return []
  }

  #applyStatus(data: Reply): string[] {
    const status = textMember(data, 'status')
    if (status === 'Preparing') this.#reset()
    const isNew = status !== this.#status
    this.#status = status
    if (isRefusal(data['error'])) this.#error = data['error']
    return isNew ? [`deployment is ${oneLine(status)}`] : []
  }

  /** A new round begins: what was placed before has been given back. */
  #reset(): void {
    this.#allocations.clear()
    this.#nodes.clear()
  }

  #applyBids(data: Reply): string[] {
    const count = numberMember(data, 'count') ?? 0
    const answered = numberMember(data, 'answered') ?? 0
    const asked = numberMember(data, 'subscribers') ?? answered
    return this.#place(
      textMember(data, 'node'),
      `${count} ${count === 1 ? 'bid' : 'bids'}, ${answered} of ${asked} providers answered`
    )
  }

  #applyCandidate(data: Reply): string[] {
    return Object.entries(recordMember(data, 'assignment')).flatMap(([node, peer]) =>
      this.#place(node, `chosen ${shortId(String(peer))}`)
    )
  }

  #place(node: string, text: string): string[] {
    const name = oneLine(node)
    this.#nodes.set(name, oneLine(text))
    return [`${name}: ${oneLine(text)}`]
  }

  #applyAllocation({ data, atMs }: DeploymentEvent): string[] {
    const name = oneLine(textMember(data, 'allocation'))
    if (name === '') return []
    const state: AllocationState = {
      name,
      status: oneLine(textMember(data, 'status')),
      detail: oneLine(textMember(data, 'detail')),
      peer: textMember(data, 'peer'),
      exitCode: numberMember(data, 'exit_code'),
      reason: oneLine(textMember(data, 'reason')),
      sinceMs: atMs
    }
    this.#nodes.delete(oneLine(textMember(data, 'node')))
    const before = this.#allocations.get(name)
    this.#allocations.set(name, state)
    const text = describeAllocation(state)
    return before !== undefined && describeAllocation(before) === text ? [] : [`${name}: ${text}`]
  }
}

/** `running`, `pulling busybox 43 %`, `failed: out of memory, exit code 137`. */
export function describeAllocation({ status, detail, reason, exitCode }: AllocationState): string {
  const head = detail === '' ? status : detail
  const parts = [
    reason === '' ? head : `${head}: ${reason}`,
    ...(exitCode === undefined ? [] : [`exit code ${exitCode}`])
  ]
  return parts.join(', ')
}

function refusalText(data: Reply): string {
  const refusal = data['refusal']
  return isRefusal(refusal) ? oneLine(refusal.message) : 'no reason given'
}

export function isRefusal(value: unknown): value is Refusal {
  return isRecord(value) && typeof value['code'] === 'string' && typeof value['message'] === 'string'
}
