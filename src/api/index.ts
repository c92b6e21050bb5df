/**
 * The REST server of a node: the door for programs on the same machine (cli-api-config §4).
 *
 * @example
 * ```ts
 * await using server = createApiServer({ gateway, handle, clock, log }, { address: '127.0.0.1', port: 9999 })
 * await server.start()
 * console.log(server.address)
 * ```
 *
 * @packageDocumentation
 */
export { ApiError, type ApiErrorCode, ApiListenError, STATUS_OF } from './errors.ts'
export { openApiDocument } from './openapi.ts'
export { ROUTES } from './routes/index.ts'
export { createApiServer } from './server.ts'
export type { ApiDeps, ApiOptions, ApiServer, JsonSchema, MessageGateway, Route } from './types.ts'
