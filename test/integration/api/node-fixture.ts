/** A node with real sockets for the REST side and an in-memory network behind it. */

import { createGateway, createRootActor, type RootActor } from '../../../src/actor/index.ts'
import { type ApiOptions, type ApiServer, createApiServer } from '../../../src/api/index.ts'
import { generateKey, peerIdOf } from '../../../src/lib/crypto/index.ts'
import { didOf, keySigner } from '../../../src/lib/did/index.ts'
import { createCapabilityContext } from '../../../src/lib/ucan/index.ts'
import { createMemoryNetworkHub } from '../../../src/network/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { systemClock, systemRandom } from '../../../src/utils/index.ts'
import { MemoryLog } from '../../utils/index.ts'

export interface NodeFixture extends AsyncDisposable {
  readonly actor: RootActor
  readonly server: ApiServer
  readonly port: number
  readonly log: MemoryLog
  /** Lets somebody do everything. */
  trust(did: Did): void
}

const clock = systemClock
const random = systemRandom

export async function startNode(options: Partial<ApiOptions> = {}): Promise<NodeFixture> {
  await using stack = new AsyncDisposableStack()
  const log = new MemoryLog()
  const privateKey = generateKey(random)
  const signer = keySigner(privateKey)
  const { context } = createCapabilityContext({ clock, random, owner: didOf(privateKey.publicKey), signer })
  const network = stack.use(
    createMemoryNetworkHub({ clock, random }).createNetwork(peerIdOf(privateKey.publicKey))
  )
  await network.start()
  const actor = stack.use(createRootActor({ network, context, privateKey, clock, random, log }))
  await actor.start()
  const gateway = createGateway({ network, clock, log })
  const server = stack.use(
    createApiServer(
      { gateway, handle: actor.handle, clock, log },
      { address: '127.0.0.1', port: 0, ...options }
    )
  )
  await server.start()
  const owned = stack.move()
  return {
    actor,
    server,
    log,
    port: server.address?.port ?? 0,
    trust: did => void context.anchors.addRoot(did),
    [Symbol.asyncDispose]: () => owned.disposeAsync()
  }
}
