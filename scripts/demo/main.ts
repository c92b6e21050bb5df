/**
 * The main job, end to end: three daemons as separate processes find each other, form an organisation's network,
 * run an ensemble and give the result back. It uses the commands a person would type and leaves nothing behind.
 */

import { join } from 'node:path'
import { ensureBusybox, hasDocker } from '../lab/docker.ts'
import { EXAMPLES, Lab, type LabNode, Organisation, readPath } from '../lab/lab.ts'
import { screen } from './screen.ts'

const isVerbose = !process.argv.includes('--quiet')

/** Ends the demo from a signal: the lab is closed, then the process ends by itself. */
class Interrupted extends Error {}

async function main(): Promise<void> {
  await using lab = new Lab({
    onCommand: (node, command) => (isVerbose ? screen.command(node, command) : undefined)
  })
  const interrupted = Promise.withResolvers<never>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.reject(new Interrupted(signal)))
  await Promise.race([tell(lab), interrupted.promise])
}

async function tell(lab: Lab): Promise<void> {
  screen.title('NuNet DMS: three machines, one network, a few deployments')
  const [alice, bob, carol] = await formNetwork(lab)
  await runTasks(alice)
  await runPrimes(alice)
  await runWithDocker(lab, alice)
  await refuse(alice)
  await showMachines(bob, carol)
  screen.step('shutting down')
}

async function formNetwork(lab: Lab): Promise<[LabNode, LabNode, LabNode]> {
  screen.step('an organisation and three machines make their keys and capability contexts')
  const [organisation, alice, bob, carol] = await Promise.all([
    Organisation.create(lab),
    lab.createNode('alice'),
    lab.createNode('bob'),
    lab.createNode('carol')
  ])
  const nodes = [alice, bob, carol]
  await Promise.all(nodes.map(node => node.createIdentities()))
  screen.step('the organisation grants, each machine accepts and delegates: nobody else is let in')
  await Promise.all(nodes.map(node => node.join(organisation)))
  screen.step('the daemons start; bob and carol know only the address of alice')
  const aliceMs = await alice.start()
  for (const node of [bob, carol]) await node.writeConfig(alice.addresses)
  const times = await Promise.all([bob, carol].map(node => node.start()))
  screen.done(
    `three daemons run, ready in ${[aliceMs, ...times].map(ms => `${(ms / 1000).toFixed(2)} s`).join(', ')} (key derivation included)`
  )
  screen.step('bob and carol offer a core, a fifth of the memory and a little disk each')
  await Promise.all([bob, carol].map(node => node.onboard()))
  const peers = await alice.cmd('/dms/node/peers/list')
  screen.output(`peers of alice: ${JSON.stringify(peers['Peers'], null, 1).replace(/\s+/g, ' ')}`)
  return [alice, bob, carol]
}

/** The compatible way: `actor cmd`, then status, manifest and logs. */
async function runTasks(alice: LabNode): Promise<void> {
  screen.step('alice deploys one task, the way existing clients do')
  const file = join(EXAMPLES, 'hello-task.yaml')
  const reply = await alice.cmd('/dms/node/deployment/new', '-f', file, '-t', '120s')
  const id = String(reply['EnsembleID'])
  const logs = await alice.run(['logs', id, '--follow'])
  screen.output(logs)
  const info = await alice.cmd('/dms/node/deployment/info', '--id', id)
  if (info['status'] !== 'Completed')
    throw new Error(`the task ended as '${String(info['status'])}': ${String(info['error'])}`)
  screen.output(await alice.run(['ps', '--all']))
  screen.done('the task ran in the embedded WASM executor: no Docker, no root, no access to files or network')
}

async function runPrimes(alice: LabNode): Promise<void> {
  screen.step('two tasks on two machines, followed to their end; their output comes as it is written')
  const result = await alice.try(['deploy', join(EXAMPLES, 'primes.yaml'), '--logs'])
  screen.output(result.stderr)
  screen.output(result.stdout)
  if (result.code !== 0) throw new Error(`the deployment ended with exit code ${result.code}`)
  screen.done('both halves were counted')
}

async function runWithDocker(lab: Lab, alice: LabNode): Promise<void> {
  if (!(await hasDocker()))
    return screen.skipped('the Docker part: no engine answers on /var/run/docker.sock')
  const image = await ensureBusybox()
  if (typeof image === 'string') return screen.skipped(`the Docker part: ${image}`)
  // An image can only be removed when its containers are gone, also when the demo is interrupted.
  await lab.defer(() => image.undo())
  await runWebService(alice)
  await runTalk(alice)
}

async function runWebService(alice: LabNode): Promise<void> {
  screen.step('a web service in a container, on a published port of its provider')
  const deployed = await alice.try(['deploy', join(EXAMPLES, 'web-service.yaml')])
  screen.output(deployed.stderr)
  if (deployed.code !== 0) throw new Error(`the service could not be deployed (exit code ${deployed.code})`)
  const id = await latestDeployment(alice)
  const info = await alice.cmd('/dms/node/deployment/info', '--id', id)
  const port = publishedPort(info)
  const page = await fetchPatiently(`http://127.0.0.1:${port}/`)
  screen.output(`GET http://127.0.0.1:${port}/ → ${page.trim()}`)
  screen.output(await alice.run(['ps']))
  await alice.run(['stop', id])
  screen.done('the demo fetched the page, then shut the service down')
}

async function runTalk(alice: LabNode): Promise<void> {
  screen.step('two containers on two machines: a client finds its server by name')
  const file = join(EXAMPLES, 'two-nodes-talk.yaml')
  const reply = await alice.cmd('/dms/node/deployment/new', '-f', file, '-t', '120s')
  const id = String(reply['EnsembleID'])
  screen.output(await alice.run(['logs', id, 'fetcher.client', '--follow']))
  const info = await alice.cmd('/dms/node/deployment/info', '--id', id)
  const exitCode = readPath(info, ['manifest', 'allocations', 'fetcher.client', 'exit_code'])
  if (exitCode !== 0) throw new Error(`the client ended with exit code ${String(exitCode)}`)
  await alice.run(['stop', id])
  screen.done('the client read the page of http://server.internal')
}

/** A wish nobody can fulfil: the answer is a reason, not a wait. */
async function refuse(alice: LabNode): Promise<void> {
  screen.step('a deployment that asks for too much is told what each provider lacks')
  const result = await alice.try(['deploy', join(EXAMPLES, 'too-big.yaml')])
  screen.output(result.stderr)
  if (result.code === 0) throw new Error('a deployment that cannot be placed was accepted')
}

async function showMachines(bob: LabNode, carol: LabNode): Promise<void> {
  for (const node of [bob, carol]) {
    const allocated = await node.cmd('/dms/node/resources/allocated')
    const cores = readPath(allocated, ['Resources', 'cpu', 'cores'])
    if (cores !== 0) throw new Error(`${node.name} still holds ${String(cores)} cores`)
  }
  screen.done('both providers have everything back')
}

async function latestDeployment(node: LabNode): Promise<string> {
  const list = await node.cmd('/dms/node/deployment/list', '--limit', '1')
  return String(readPath(list, ['deployments', '0', 'orchestrator_id']))
}

function publishedPort(info: Record<string, unknown>): string {
  const allocations = info['allocations']
  const [first] = typeof allocations === 'object' && allocations !== null ? Object.values(allocations) : []
  const ports = readPath(first, ['ports'])
  return Object.keys(typeof ports === 'object' && ports !== null ? ports : {})[0] ?? 'unknown'
}

/** The server inside the container may need a moment after its start. */
async function fetchPatiently(url: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(url)
      if (response.ok) return await response.text()
    } catch (error) {
      if (attempt >= 50) throw error
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

try {
  await main()
  screen.done(`finished in ${(screen.elapsedMs() / 1000).toFixed(1)} s; nothing was left behind`)
} catch (error) {
  if (error instanceof Interrupted) {
    screen.failed(`interrupted by ${error.message}; everything was taken down`)
    process.exitCode = 130
  } else {
    screen.failed(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
