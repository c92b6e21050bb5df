/** Last parameter of every public async function. When `signal` fires the work really stops and its reason is thrown. */
export interface AbortOptions {
  signal?: AbortSignal | undefined
}
