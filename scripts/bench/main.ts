/**
 * Benchmarks of what a person waits for. Each figure is a ratio against something measured in the same run on the
 * same machine, or an absolute budget of the issue that set it. `npm run bench`; a row that misses its target makes
 * the exit code 1.
 */

import { cpus } from 'node:os'
import { ensureBusybox, hasDocker } from '../lab/docker.ts'
import { CLI, createNetwork, Lab, NODE_BINARY } from '../lab/lab.ts'
import { benchAnchors } from './anchors.ts'
import { benchHello, benchHelloWithAgent, benchHelp } from './cli.ts'
import { benchDaemon } from './daemon.ts'
import { benchDeploy } from './deploy.ts'
import { printTable, type Row } from './measure.ts'
import { benchTokens } from './tokens.ts'

const rows: Row[] = []
const notes: string[] = []

console.error(
  `bench: ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Node ${process.versions.node}, bundle ${CLI}`
)
console.error('bench: the command line')
rows.push(await benchHelp(NODE_BINARY, CLI))
console.error('bench: tokens')
rows.push(...(await benchTokens()))
console.error('bench: anchors')
rows.push(...(await benchAnchors()))

{
  console.error('bench: a network of three daemons (identities, grants, start)')
  await using lab = new Lab()
  const nodes = await createNetwork(lab, ['alice', 'bob', 'carol'])
  const [alice] = nodes
  if (alice === undefined) throw new Error('no node was made')
  console.error('bench: the daemon')
  rows.push(...(await benchDaemon(nodes)))
  console.error('bench: a signed question over the REST bridge')
  const hello = await benchHello(alice)
  rows.push(hello.row)
  notes.push(hello.note)
  rows.push(await benchHelloWithAgent(alice))
  if (await hasDocker()) {
    const image = await ensureBusybox()
    if (typeof image === 'string') notes.push(`SKIPPED the Docker rows: ${image}`)
    else {
      console.error('bench: a task in a container')
      const deploy = await benchDeploy(alice, image.name)
      rows.push(deploy.row)
      notes.push(...deploy.notes)
      await image.undo()
    }
  } else notes.push('SKIPPED the Docker rows: no engine answers on /var/run/docker.sock')
}

printTable(rows)
for (const note of notes) console.log(`\n${note}`)
if (rows.some(row => row.isMet === false)) process.exitCode = 1
