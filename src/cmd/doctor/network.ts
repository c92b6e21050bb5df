/** Checks of ports, the running daemon and its peers. */

import { handleFromWire } from '../../actor/message/index.ts'
import { createCapabilityStore } from '../../lib/ucan/index.ts'
import { bytesToUtf8, errorCode, errorMessage } from '../../utils/index.ts'
import { describeKnowledge, readKnowledge } from '../cap/revocation/knowledge.ts'
import { connectNode } from '../deployments/connect.ts'
import { askHealth, type NodeHealth } from '../deployments/node-health.ts'
import { member, type Reply } from '../session/call.ts'
import { userPaths } from '../session/paths.ts'
import { openClient } from '../session/session.ts'
import { signsUnasked } from '../session/signer.ts'
import { isPortFree } from '../up/free-port.ts'
import { type Check, type Finding, finding, type Patient } from './check.ts'

/** A daemon on this machine answers within this time, or something is wrong with it. Milliseconds. */
const ANSWER_TIMEOUT_MS = 2000

/** The daemon, and with it its peers, or the ports: one that is not free must be held by our own node. */
export const checkDaemon: Check = async patient => {
  const { config, nodeContext } = patient
  const address = `${config.rest.addr}:${config.rest.port}`
  const daemon = await askDaemon(patient)
  if (daemon.type === 'ours')
    return [finding('daemon', 'ok', `answers on ${address}`), ...(await checkPeers(patient))]
  if (daemon.type === 'foreign') {
    const detail = `a node of another identity answers on ${address}: ${daemon.did}`
    return [finding('daemon', 'fail', detail, 'choose another port: nunet config set rest.port <port>')]
  }
  const status = finding(
    'daemon',
    'warn',
    `is not running (${daemon.problem})`,
    `start it: nunet run -c ${nodeContext}`
  )
  const port = await portFinding('REST port', config.rest.addr, config.rest.port, 'rest.port')
  return [status, port, ...(await checkListenPorts(patient))]
}

type Daemon = { type: 'ours' } | { type: 'foreign'; did: string } | { type: 'none'; problem: string }

async function askDaemon({ cli, config, nodeContext }: Patient): Promise<Daemon> {
  using client = openClient(cli, config)
  try {
    const value: unknown = JSON.parse(
      bytesToUtf8(await client.handle({ signal: cli.signal, timeoutMs: ANSWER_TIMEOUT_MS }))
    )
    const handle = handleFromWire(value)
    if (!handle.ok) return { type: 'none', problem: 'something else answers there' }
    const store = createCapabilityStore(cli, { directory: userPaths(config).capabilities })
    const owner = await store.ownerOf(nodeContext)
    return owner === undefined || owner === handle.value.did
      ? { type: 'ours' }
      : { type: 'foreign', did: handle.value.did }
  } catch (error) {
    cli.signal.throwIfAborted()
    return {
      type: 'none',
      problem: errorCode(error) === 'API_UNREACHABLE' ? 'nothing answers' : errorMessage(error)
    }
  }
}

async function checkListenPorts({ config }: Patient): Promise<Finding[]> {
  const tcp = config.p2p.listen_address.flatMap(address => {
    const match = /^\/ip[46]\/([^/]+)\/tcp\/(\d+)/.exec(address)
    return match === null ? [] : [{ address: match[1] ?? '', port: Number(match[2]) }]
  })
  return await Promise.all(
    tcp.map(({ address, port }) => portFinding('peer-to-peer port', address, port, 'p2p.listen_address'))
  )
}

async function portFinding(name: string, address: string, port: number, key: string): Promise<Finding> {
  const free = port === 0 || (await isPortFree(address, port))
  return finding(
    name,
    free ? 'ok' : 'fail',
    `${port} of ${address} is ${free ? 'free' : 'used by another program'}`,
    `stop that program, or change ${key}: nunet config set ${key} …`
  )
}

/** Needs the owner's key, so only when nobody has to be asked for a passphrase. */
async function checkPeers({ cli, config, globals, userContext }: Patient): Promise<Finding[]> {
  if (!(await signsUnasked(cli, { config, globals, name: userContext }))) {
    return [finding('peers', 'skip', 'no passphrase given', 'set DMS_PASSPHRASE to check peers as well')]
  }
  try {
    using node = await connectNode(cli, globals, userContext)
    const listed = member(await node.call('/dms/node/peers/list', undefined), 'Peers')
    const own = node.session.node.address.host
    const others = Array.isArray(listed) ? listed.filter(peer => peer !== own).length : 0
    const peers = finding(
      'peers',
      others > 0 ? 'ok' : 'warn',
      others > 0 ? `${others} known` : 'none known',
      'check p2p.bootstrap_peers and the firewall; a network needs a second node'
    )
    const revocations = revocationFinding(await node.call('/dms/cap/revocation/status', undefined), cli)
    return [peers, revocations, ...healthFindings(await askHealth(node))]
  } catch (error) {
    cli.signal.throwIfAborted()
    const fix = `let '${userContext}' control the node: nunet up --no-run`
    return [finding('peers', 'fail', errorMessage(error), fix)]
  }
}

/** What the running node says of its capabilities, dynamic grants included. */
function healthFindings(health: NodeHealth | undefined): Finding[] {
  if (health === undefined) return []
  if (health.status === 'healthy') return [finding('capabilities', 'ok', 'none ends soon')]
  const [first] = health.issues
  const more = health.issues.length > 1 ? ` (and ${health.issues.length - 1} more)` : ''
  const detail = first === undefined ? health.status : `one ${first.line}${more}`
  return [finding('capabilities', health.status === 'expired' ? 'fail' : 'warn', detail, first?.renewal)]
}

/** Whether what the node knows of revocations can be relied on. */
function revocationFinding(reply: Reply, { clock }: Patient['cli']): Finding {
  const knowledge = readKnowledge(reply)
  const age = describeKnowledge(knowledge, clock.nowMs())
  if (knowledge.turnedAway > 0) {
    const detail = `${knowledge.count} in force, ${knowledge.turnedAway} turned away for lack of room`
    return finding('revocations', 'fail', detail, "see the node's log; revoke the member that floods them")
  }
  return finding(
    'revocations',
    knowledge.isCurrent ? 'ok' : 'warn',
    `${knowledge.count} in force, ${age}`,
    'connect to a node of the same network: it tells what was revoked meanwhile'
  )
}
