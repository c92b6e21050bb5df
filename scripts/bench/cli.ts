import { type LabNode, NODE_BINARY } from '../lab/lab.ts'
import { formatMs, inTurn, median, type Row, timeProcess } from './measure.ts'

const HELP_ROUNDS = 25
const HELLO_ROUNDS = 9

async function bareNode(): Promise<number> {
  return (await timeProcess(NODE_BINARY, ['-e', '0'])).ms
}

/** `nunet --help` against the start of Node itself. */
export async function benchHelp(node: string, cli: string): Promise<Row> {
  const help = async (): Promise<number> => {
    const run = await timeProcess(node, [cli, '--help'])
    if (run.code !== 0) throw new Error(`--help failed: ${run.stderr}`)
    return run.ms
  }
  const { a, b, ratio } = await inTurn(HELP_ROUNDS, help, bareNode)
  return {
    what: 'nunet --help',
    ours: formatMs(a),
    against: `node -e 0: ${formatMs(b)}`,
    ratio: `${ratio.toFixed(2)} ×`,
    target: '≤ 1.5 ×',
    isMet: ratio <= 1.5
  }
}

/** Time the command itself says it spent deriving its key; `--debug` prints it. */
export function keyDerivationMs(stderr: string): number {
  const match = /key derived in (\d+(?:\.\d+)?) ms/.exec(stderr)
  if (!match?.[1]) throw new Error(`the command did not say how long the key derivation took:\n${stderr}`)
  return Number(match[1])
}

/** One question to the daemon; the derivation of the key, when there was one, is told apart. */
async function askHello(
  node: LabNode,
  env: Record<string, string> = {}
): Promise<{ ms: number; stderr: string }> {
  const run = await node.try(['actor', 'cmd', '/public/hello', '-c', 'user', '--debug'], { env })
  if (run.code !== 0) throw new Error(`hello failed: ${run.stderr}`)
  return run
}

/** `actor cmd /public/hello`: derive the key, make tokens, sign, ask over HTTP, verify the answer. */
export async function benchHello(node: LabNode): Promise<{ row: Row; note: string }> {
  const derivations: number[] = []
  const totals: number[] = []
  const hello = async (): Promise<number> => {
    const run = await askHello(node)
    const derivation = keyDerivationMs(run.stderr)
    derivations.push(derivation)
    totals.push(run.ms)
    return run.ms - derivation
  }
  const { a, b, ratio } = await inTurn(HELLO_ROUNDS, hello, bareNode)
  const whole = median(totals) / b
  return {
    row: {
      what: 'actor cmd /public/hello, without key derivation',
      ours: formatMs(a),
      against: `node -e 0: ${formatMs(b)}`,
      ratio: `${ratio.toFixed(2)} ×`,
      target: '≤ 3 ×',
      isMet: ratio <= 3
    },
    note: `/public/hello with its key derivation (${formatMs(median(derivations))}, scrypt N=2^18 by design): ${formatMs(median(totals))}, ${whole.toFixed(1)} ×.`
  }
}

/** The same with the key agent: no passphrase, no derivation, all of the time counted. */
export async function benchHelloWithAgent(node: LabNode): Promise<Row> {
  await node.run(['key', 'agent', '--session', String(process.pid)])
  try {
    await node.run(['key', 'unlock', 'user'])
    const { a, b, ratio } = await inTurn(
      HELLO_ROUNDS,
      async () => {
        const { ms, stderr } = await askHello(node, { DMS_PASSPHRASE: '' })
        if (/key derived/.test(stderr)) throw new Error('the key agent was not used')
        return ms
      },
      bareNode
    )
    return {
      what: 'actor cmd /public/hello with the key agent, everything counted',
      ours: formatMs(a),
      against: `node -e 0: ${formatMs(b)}`,
      ratio: `${ratio.toFixed(2)} ×`,
      target: '≤ 3.5 ×',
      isMet: ratio <= 3.5
    }
  } finally {
    await node.run(['key', 'agent', '--stop'])
  }
}
