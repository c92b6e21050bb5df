/**
 * A NeoPRISM service (its published HTTP interface): signed operations are submitted as hex, and a DID resolves once the
 * service has seen it confirmed on the ledger.
 */

import type { PrivateKey, PublicKey } from '../../lib/crypto/index.ts'
import {
  MAX_DID_DOCUMENT,
  prismDocumentUrl,
  publicKeyOfDocument,
  signPrismOperation
} from '../../lib/did/index.ts'
import type { Did } from '../../types/index.ts'
import {
  bytesEqual,
  bytesToHex,
  bytesToUtf8,
  deadline,
  errorMessage,
  type HttpAnswer,
  HttpError,
  httpExchange,
  utf8ToBytes
} from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'

/** Where operations are submitted, and where releases before March 2026 took them. */
const SUBMISSION_PATHS = ['/api/submissions/signed-operations', '/api/signed-operation-submissions']

/** Bytes of an answer to a submission; real ones have a few hundred. */
const MAX_ANSWER = 65_536

/** Between two looks at a DID that waits for its confirmation, which takes blocks of 20 s each. Milliseconds. */
const POLL_MS = 10_000

type Asker = Pick<Cli, 'clock' | 'signal'>

const KEPT = 'the keys are kept: run the same command again to submit the same DID'

/** Has the service publish an operation. @throws CommandError */
export async function submitOperation(
  { clock, signal }: Asker,
  service: URL,
  { operation, master }: { readonly operation: Uint8Array; readonly master: PrivateKey },
  limitMs: number
): Promise<{ readonly transaction: string }> {
  using limit = deadline(clock, limitMs, `submitting to '${service.origin}'`, signal)
  const signed = bytesToHex(signPrismOperation(operation, master))
  const request = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: utf8ToBytes(JSON.stringify({ signed_operations: [signed] })),
    maxBytes: MAX_ANSWER
  }
  let answer: HttpAnswer | undefined
  try {
    for (const path of SUBMISSION_PATHS) {
      answer = await httpExchange(urlOf(service, path), request, limit)
      if (answer.status !== 404 && answer.status !== 405) break
    }
  } catch (cause) {
    signal.throwIfAborted()
    throw new CommandError(errorMessage(cause), { cause, hint: KEPT })
  }
  return { transaction: readTransaction(service, answer) }
}

function urlOf(service: URL, path: string): URL {
  return new URL(service.href.replace(/\/+$/, '') + path)
}

function readTransaction(service: URL, answer: HttpAnswer | undefined): string {
  const text = answer === undefined ? '' : readText(answer.body)
  const transaction = answer?.status === 200 ? /"tx_id"\s*:\s*"([0-9a-fA-F]{64})"/.exec(text)?.[1] : undefined
  if (transaction !== undefined) return transaction
  throw new CommandError(
    `the service at ${service.origin} did not take the operation: status ${answer?.status}: ${oneLine(text.slice(0, 300))}`,
    { hint: KEPT }
  )
}

function readText(body: Uint8Array): string {
  try {
    return bytesToUtf8(body)
  } catch {
    return 'an answer that is no text'
  }
}

/** Waits until the service shows the DID with its key. @throws TimeLimitError */
export async function awaitDocument(
  { clock, signal }: Asker,
  service: URL,
  { did, key }: { readonly did: Did; readonly key: PublicKey },
  limitMs: number
): Promise<void> {
  using limit = deadline(clock, limitMs, `the confirmation of ${did}`, signal)
  while (!(await isPublished(service, did, key, limit))) await clock.sleep(POLL_MS, limit)
}

/** A service that does not answer for a moment is asked again. */
async function isPublished(
  service: URL,
  did: Did,
  key: PublicKey,
  options: { readonly signal: AbortSignal }
): Promise<boolean> {
  try {
    const { status, body } = await httpExchange(
      prismDocumentUrl(service.href, did),
      { maxBytes: MAX_DID_DOCUMENT },
      options
    )
    return status === 200 && bytesEqual(publicKeyOfDocument(did, body).raw, key.raw)
  } catch (error) {
    if (error instanceof HttpError) return false
    throw error
  }
}
