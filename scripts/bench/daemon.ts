import { scryptSync } from 'node:crypto'
import type { LabNode } from '../lab/lab.ts'
import { formatMs, median, type Row } from './measure.ts'

const STARTS = 5
/** An idle daemon is looked at after this: start-up garbage has been collected, gossip has settled. */
const IDLE_MS = 20_000

/** Start to ready (key derivation included, it runs beside the loading), and resident memory with two idle peers. */
export async function benchDaemon(nodes: readonly LabNode[]): Promise<Row[]> {
  const [, , last] = nodes
  if (last === undefined) throw new Error('three nodes are needed')
  const starts: number[] = []
  for (let round = 0; round < STARTS; round++) {
    await last.stop()
    starts.push(await last.start())
  }
  await new Promise(resolve => setTimeout(resolve, IDLE_MS))
  const resident = median(await Promise.all(nodes.map(node => node.residentBytes())))
  const derivation = deriveKeyMs()
  return [
    {
      what: 'daemon start to ready, key derivation included',
      ours: formatMs(median(starts)),
      against: `scrypt alone: ${formatMs(derivation)}`,
      ratio: `${(median(starts) / derivation).toFixed(2)} ×`,
      target: '≤ 1.5 s',
      isMet: median(starts) <= 1500
    },
    {
      what: 'resident memory, idle, two peers',
      ours: `${(resident / 1e6).toFixed(0)} MB`,
      against: `bare node: ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB (this bench)`,
      ratio: '–',
      target: '≤ 140 MB',
      isMet: resident <= 140e6
    }
  ]
}

/** The keystore's key derivation on an otherwise idle core. */
function deriveKeyMs(): number {
  const started = performance.now()
  scryptSync('passphrase', Buffer.alloc(64, 1), 64, { N: 262_144, r: 8, p: 1, maxmem: 512 * 2 ** 20 })
  return performance.now() - started
}
