/** What the demo shows: numbered chapters, the commands as a person would type them, and how long things took. */

import { styleText } from 'node:util'

const started = performance.now()

function seconds(): string {
  return `${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s`
}

const WIDTH = 100

export const screen = {
  title(text: string): void {
    console.log(`\n${styleText('bold', text)}`)
  },
  step(text: string): void {
    console.log(`\n${styleText('dim', seconds())}  ${styleText('cyan', text)}`)
  },
  command(node: string, command: string): void {
    const line = `${node.padStart(9)} $ nunet ${command}`
    console.log(styleText('dim', line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line))
  },
  done(text: string): void {
    console.log(`${styleText('dim', seconds())}  ${styleText('green', '✓')} ${text}`)
  },
  /** Something of the demo that this machine cannot show; said loudly, never passed over. */
  skipped(text: string): void {
    console.log(`${styleText('dim', seconds())}  ${styleText('yellow', 'SKIPPED')} ${text}`)
  },
  failed(text: string): void {
    console.log(`${styleText('dim', seconds())}  ${styleText('red', '✗')} ${text}`)
  },
  output(text: string): void {
    for (const line of text.trimEnd().split('\n')) console.log(`          ${styleText('dim', '│')} ${line}`)
  },
  elapsedMs(): number {
    return performance.now() - started
  }
}
