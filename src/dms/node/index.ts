/**
 * The node of the network: one machine, its root actor, and the services that answer for it.
 *
 * @packageDocumentation
 */
export { isPermanent } from './bid-permanence.ts'
export { Node, type NodeDeps, type NodeOptions } from './node.ts'
