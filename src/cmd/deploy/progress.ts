/** Shows a story: one line for each node or allocation that is redrawn in place, or plain lines with their time. */

import { formatDuration, isoTime } from '../../utils/index.ts'
import { type Colour, paint } from '../cli/style.ts'
import { shortId } from '../cli/table.ts'
import type { Terminal } from '../cli/terminal.ts'
import { type DeploymentEvent, describeAllocation, type Story } from './story.ts'

export interface Progress {
  /** Shows what an event changed. */
  update(event: DeploymentEvent, news: readonly string[]): void
  /** Leaves the last state on the screen. */
  end(): void
}

/** `live` wants standard error for itself: nothing else may be written meanwhile. */
export function createProgress(terminal: Terminal, story: Story, live: boolean): Progress {
  return live && terminal.errIsTerminal ? new LiveProgress(terminal, story) : new PlainProgress(terminal)
}

class PlainProgress implements Progress {
  readonly #terminal: Terminal

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  update({ atMs }: DeploymentEvent, news: readonly string[]): void {
    for (const line of news) this.#terminal.err(`${isoTime(atMs)} ${line}\n`)
  }

  end(): void {}
}

const STATUS_COLOURS: Readonly<Record<string, Colour>> = {
  running: 'green',
  completed: 'green',
  failed: 'red',
  terminated: 'red',
  restarting: 'yellow'
}

class LiveProgress implements Progress {
  readonly #terminal: Terminal
  readonly #story: Story
  #drawn = 0

  constructor(terminal: Terminal, story: Story) {
    this.#terminal = terminal
    this.#story = story
  }

  update({ atMs }: DeploymentEvent): void {
    const lines = [this.#headline(atMs), ...this.#lines()]
    // Up over what was drawn, then each line anew; a terminal that is narrow must not wrap, or the count is wrong.
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : ''
    this.#terminal.err(`${up}\u001b[J${lines.map(line => `${line}\n`).join('')}`)
    this.#drawn = lines.length
  }

  end(): void {
    this.#drawn = 0
  }

  #headline(atMs: number): string {
    return this.#fit(`${this.#story.status.toLowerCase()}, ${formatDuration(atMs - this.#story.startedMs)}`)
  }

  #lines(): string[] {
    const width = Math.max(
      0,
      ...this.#story.allocations.map(({ name }) => name.length),
      ...this.#story.placing.map(([name]) => name.length)
    )
    const placing = this.#story.placing.map(([name, text]) => this.#fit(`  ${name.padEnd(width)}  ${text}`))
    const allocations = this.#story.allocations.map(state => {
      const line = this.#fit(
        `  ${state.name.padEnd(width)}  ${describeAllocation(state)}  ${shortId(state.peer)}`
      )
      const colour = STATUS_COLOURS[state.status]
      return colour === undefined ? line : paint(this.#terminal, 'err', colour, line)
    })
    return [...placing, ...allocations]
  }

  #fit(line: string): string {
    const most = Math.max(20, this.#terminal.columns - 1)
    return line.length <= most ? line : `${line.slice(0, most - 1)}…`
  }
}
