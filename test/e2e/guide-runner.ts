/**
 * Runs a page of the documentation: its `sh` blocks, in order, in one bash, the way a reader would. A block marked
 * `sh exit=N` runs in a subshell and must end with that code; a `text` block behind it is what it must print, line by
 * line in this order, where `…` stands for anything.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One block of a page. */
export interface Block {
  /** Line of the page it starts at, from 1. */
  readonly line: number
  readonly script: string
  readonly exitCode: number
  /** Lines it must print; none when nothing was said. */
  readonly expected: readonly string[]
}

/** Reads the blocks of a Markdown page. A `text` block belongs to the `sh` block before it. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  const fence = /^```(sh|text)(?: exit=(\d+))?\n([\s\S]*?)^```$/gm
  for (const match of markdown.matchAll(fence)) {
    const [, kind, exit = '0', body = ''] = match
    if (kind === 'sh') {
      const line = markdown.slice(0, match.index).split('\n').length
      blocks.push({ line, script: body, exitCode: Number(exit), expected: [] })
      continue
    }
    const owner = blocks.pop()
    assert.ok(owner !== undefined, 'a text block stands before every sh block')
    blocks.push({ ...owner, expected: body.split('\n').filter(line => line.trim() !== '') })
  }
  return blocks
}

/** A bash that keeps its variables, functions and background jobs from block to block. */
export class Shell implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #directory: string
  #output = ''
  #count = 0

  constructor(directory: string, env: Record<string, string>) {
    this.#directory = directory
    // A group of its own, so that what the page started in the background can be ended with it.
    this.#process = spawn('bash', [], {
      cwd: directory,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true
    })
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString()
      })
  }

  /** Runs one block and checks what it printed and how it ended. */
  async run(block: Block, timeoutMs: number): Promise<string> {
    const id = this.#count++
    const file = join(this.#directory, `.block-${id}.sh`)
    await writeFile(file, block.script)
    const end = `__end_${id}_`
    const call =
      block.exitCode === 0
        ? `set -e; source '${file}'; set +e; code=0`
        : `(set -e; source '${file}'); code=$?`
    const start = this.#output.length
    this.#process.stdin?.write(`${call}; echo "${end}$code"\n`)
    const deadline = performance.now() + timeoutMs
    const where = `the block at line ${block.line}:\n${block.script}`
    for (;;) {
      const printed = this.#output.slice(start)
      const found = new RegExp(`^${end}(\\d+)$`, 'm').exec(printed)
      if (found !== null) {
        const text = printed.slice(0, found.index)
        assert.equal(
          Number(found[1]),
          block.exitCode,
          `${where}\nended with ${found[1]} and printed:\n${text}`
        )
        assertPrinted(block.expected, text, where)
        return text
      }
      if (this.#process.exitCode !== null) assert.fail(`${where}\nfailed and printed:\n${printed}`)
      if (performance.now() > deadline) assert.fail(`${where}\ntook too long and printed:\n${printed}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#process
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      return // nothing of the group runs any more
    }
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit')
  }
}

/** Each expected line is found in the output, in their order. */
function assertPrinted(expected: readonly string[], text: string, where: string): void {
  const lines = text.split('\n')
  let at = 0
  for (const wanted of expected) {
    const pattern = new RegExp(`^${wanted.split('…').map(escapeText).join('.*')}\\s*$`)
    const found = lines.findIndex((line, index) => index >= at && pattern.test(line))
    assert.ok(found !== -1, `${where}\ndid not print '${wanted}' but:\n${text}`)
    at = found + 1
  }
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** The page with its fixed ports replaced. */
export async function readPage(path: string, ports: ReadonlyMap<string, number>): Promise<string> {
  let text = await readFile(path, 'utf8')
  for (const [written, free] of ports) text = text.replaceAll(written, String(free))
  return text
}
