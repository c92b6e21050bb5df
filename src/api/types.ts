/** The REST server's contract: what it needs, what a route is. */

import type { Envelope } from '../actor/message/index.ts'
import type { AbortOptions, Clock, Handle, Logger, Startable } from '../types/index.ts'

/** Forwards complete, signed messages for programs that are no node themselves (identity-and-actors §10.2). */
export interface MessageGateway {
  /** Hands a message over. */
  send(envelope: Envelope, options?: AbortOptions): Promise<unknown>
  /** Hands a message over and waits for the first answer until its expiry. */
  invoke(envelope: Envelope, options?: AbortOptions): Promise<Envelope>
  /** Publishes a message and collects the answers until its expiry. */
  broadcast(envelope: Envelope, options?: AbortOptions): Promise<readonly Envelope[]>
}

/** Collaborators of the REST server. */
export interface ApiDeps {
  readonly gateway: MessageGateway
  /** Of the node's root actor. */
  readonly handle: Handle
  readonly clock: Clock
  readonly log: Logger
}

/** Where the REST server listens, and its limits. */
export interface ApiOptions {
  /** `rest.addr`. */
  address: string
  /** `rest.port`; 0 takes any free port. */
  port: number
  /** Time a client has for its headers; default 10 s. */
  headersTimeoutMs?: number
  /** Time a client has for its whole request; default 30 s. */
  requestTimeoutMs?: number
  /** Requests worked on at once; default 256. */
  maxRequests?: number
}

/** A running REST server. */
export interface ApiServer extends Startable {
  /** Where it listens; `undefined` before `start` and after `stop`. */
  readonly address: { readonly address: string; readonly port: number } | undefined
}

/** JSON Schema (2020-12), the dialect of OpenAPI 3.1. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a handler gets. */
export interface RouteRequest extends ApiDeps {
  readonly body: Uint8Array
  /** Fires when the client goes away and when the server stops. */
  readonly signal: AbortSignal
}

/** A route as a declaration: the server and the OpenAPI document are made from it. */
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Name of the operation for generated clients. */
  readonly id: string
  readonly summary: string
  readonly description?: string
  /** Name of the body's schema in `SCHEMAS`. */
  readonly request?: string
  readonly response: JsonSchema
  /** Statuses of errors with when they come. */
  readonly errors?: Readonly<Record<number, string>>
  /** JSON text of the 200 answer. */
  readonly handle: (request: RouteRequest) => Promise<string> | string
}
