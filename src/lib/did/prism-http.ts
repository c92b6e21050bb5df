/** Where a PRISM resolver keeps its documents (§2.7). */

import type { Did } from '../../types/index.ts'
import { MAX_DID_DOCUMENT } from './did-document.ts'
import type { FetchDocument } from './did-resolver.ts'
import { DidResolutionError } from './errors.ts'

/** Representations asked for (§2.7). */
const ACCEPT = 'application/did+json,application/json'

/** One GET. Follows no redirect, and reads at most `maxBytes` of the body. */
export type HttpGet = (
  url: URL,
  request: { readonly headers: Readonly<Record<string, string>>; readonly maxBytes: number },
  options: { readonly signal: AbortSignal }
) => Promise<{ readonly status: number; readonly body: Uint8Array }>

/** `<resolver>/api/dids/<DID>`, the DID escaped as a path segment, in which a colon stands for itself (RFC 3986 §3.3). */
export function prismDocumentUrl(resolver: string, did: Did): URL {
  return new URL(`${resolver.replace(/\/+$/, '')}/api/dids/${encodeURIComponent(did).replaceAll('%3A', ':')}`)
}

/** Fetches documents from the resolver at a base address. */
export function prismDocuments(get: HttpGet, resolver: string): FetchDocument {
  return async (did, options) => {
    const url = prismDocumentUrl(resolver, did)
    const { status, body } = await get(
      url,
      { headers: { Accept: ACCEPT }, maxBytes: MAX_DID_DOCUMENT },
      options
    )
    if (status === 200) return body
    throw new DidResolutionError(
      'DID_UNREACHABLE',
      `the resolver at ${url.origin} answers ${status} for '${did}'`,
      {
        hint:
          status === 404 || status === 410
            ? 'the DID is not published, not yet confirmed, or was deactivated'
            : 'check the address of the resolver (did.prism_resolver)'
      }
    )
  }
}
