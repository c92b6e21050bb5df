/**
 * Client of a node's REST server (cli-api-config §1.4 and §4): envelopes go in and out as bytes, so that 64-bit
 * numbers and signed texts pass untouched. Loads nothing but `node:http`: the command line starts with it.
 *
 * @example
 * ```ts
 * import { createApiClient } from '../api/client/index.ts'
 * import { systemClock } from '../utils/index.ts'
 *
 * using client = createApiClient({ clock: systemClock }, { address: '127.0.0.1', port: 9999 })
 * console.log(new TextDecoder().decode(await client.handle()))
 * ```
 *
 * @packageDocumentation
 */
export { type ApiClient, type ApiClientOptions, type ApiRequestOptions, createApiClient } from './client.ts'
export {
  ApiCanceledError,
  ApiProtocolError,
  ApiStatusError,
  ApiTimeoutError,
  ApiUnreachableError
} from './errors.ts'
