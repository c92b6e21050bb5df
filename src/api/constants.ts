/** Limits of the REST server, each with its unit and reason. */

/** An envelope is at most 1 MiB on the wire (identity-and-actors §10.1); the margin is for indented JSON. */
export const MAX_BODY_BYTES = 2 ** 20 + 64 * 2 ** 10

/** A client that needs longer for its headers is cut off. Milliseconds. */
export const HEADERS_TIMEOUT_MS = 10_000

/** A client that needs longer to send its whole request is cut off. Waiting for the answer has no such limit. Milliseconds. */
export const REQUEST_TIMEOUT_MS = 30_000

/** How often the server looks for such clients. Milliseconds. */
export const CHECK_INTERVAL_MS = 1000

/** Requests worked on at once. An invocation may wait as long as its message lives, so this is generous. */
export const MAX_REQUESTS = 256

/** Open connections; further ones are closed at once. */
export const MAX_CONNECTIONS = 512

/** How long `stop` lets running requests end after their signal fired. Milliseconds. */
export const STOP_GRACE_MS = 1000

/** Web pages allowed to call the server (cli-api-config §4). */
export const ALLOWED_ORIGINS: readonly string[] = ['http://localhost:9991', 'http://localhost:9992']

/** CORS answers to those pages (cli-api-config §4). */
export const CORS_METHODS = 'GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS'
export const CORS_HEADERS = 'Access-Control-Allow-Origin,Origin,Content-Length,Content-Type'
export const CORS_MAX_AGE_SECONDS = 12 * 3600
