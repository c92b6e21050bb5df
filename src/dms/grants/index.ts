/**
 * Dynamic grants: short-lived permissions that a node gives to another one for the time of a deployment.
 *
 * @packageDocumentation
 */
export { GRANT_LIFE_MS, GRANT_RENEWAL_MS } from './constants.ts'
export { GrantKeeper } from './grant-keeper.ts'
export type { Grant, GrantKeeperDeps, GrantRequest, GrantState } from './kept-grant.ts'
