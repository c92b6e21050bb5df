import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LabNode } from '../lab/lab.ts'
import { keyDerivationMs } from './cli.ts'
import { formatMs, inTurn, median, type Row, timeProcess } from './measure.ts'

const ROUNDS = 7

/** One task in a container of a local image, from the start of `nunet deploy` to its exit code at the CLI, against `docker run`. */
export async function benchDeploy(node: LabNode, image: string): Promise<{ row: Row; notes: string[] }> {
  const file = join(node.directory, 'bench-task.yaml')
  await writeFile(file, ensembleFor(image))
  const derivations: number[] = []
  const totals: number[] = []
  const deploy = async (): Promise<number> => {
    const run = await node.try(['deploy', file, '--debug'])
    if (run.code !== 0) throw new Error(`deploy failed with exit code ${run.code}:\n${run.stderr}`)
    const derivation = keyDerivationMs(run.stderr)
    derivations.push(derivation)
    totals.push(run.ms)
    return run.ms - derivation
  }
  const docker = async (): Promise<number> => {
    const run = await timeProcess('docker', [
      'run',
      '--rm',
      '--memory',
      '64m',
      '--cpus',
      '0.5',
      image,
      'true'
    ])
    if (run.code !== 0) throw new Error(`docker run failed: ${run.stderr}`)
    return run.ms
  }
  const { a, b, ratio } = await inTurn(ROUNDS, deploy, docker)
  return {
    row: {
      what: 'deploy one Docker task to its exit code, without key derivation',
      ours: formatMs(a),
      against: `docker run: ${formatMs(b)}`,
      ratio: `${ratio.toFixed(2)} ×`,
      target: '≤ 4 ×',
      isMet: ratio <= 4
    },
    notes: [
      `The same with its key derivation (${formatMs(median(derivations))}): ${formatMs(median(totals))}, ${(median(totals) / b).toFixed(2)} ×.`
    ]
  }
}

function ensembleFor(image: string): string {
  return `version: "V1"
allocations:
  job:
    type: task
    executor: docker
    resources: { cpu: { cores: 0.5 }, ram: { size: 64 MiB }, disk: { size: 16 MiB } }
    execution: { type: docker, image: ${image}, cmd: ["true"] }
nodes:
  anywhere: { allocations: [job] }
`
}
