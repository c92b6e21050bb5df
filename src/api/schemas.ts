/**
 * Schemas of the REST bodies for the OpenAPI document. Written as JSON Schema, not derived from a validator: an
 * envelope is read by the actor layer's own exact reader, since a nonce does not fit a JavaScript number.
 */

import type { JsonSchema } from './types.ts'

const text = { type: 'string' }
const bytes = { type: 'string', contentEncoding: 'base64' }

/** A reference to a named schema of the document. */
export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

/** Named schemas (identity-and-actors §8.1, §8.2). */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Handle: {
    type: 'object',
    description: 'Full name of an actor. All parts are empty in the destination of a broadcast.',
    required: ['id', 'did', 'addr'],
    properties: {
      id: {
        type: 'object',
        required: ['pub'],
        properties: { pub: { ...text, description: 'public key, libp2p protobuf, base32' } }
      },
      did: { type: 'object', properties: { uri: { ...text, description: 'did:key:…' } } },
      addr: {
        type: 'object',
        properties: {
          host: { ...text, description: 'libp2p peer id' },
          inbox: { ...text, description: "'root' for the node itself" }
        }
      }
    }
  },
  Envelope: {
    type: 'object',
    description: 'A signed message between actors.',
    required: ['to', 'be', 'from', 'nonce', 'opt', 'msg'],
    properties: {
      to: ref('Handle'),
      be: { ...text, description: 'behaviour, for example /public/hello' },
      from: ref('Handle'),
      nonce: { type: 'integer', format: 'uint64', description: 'counter of the sender; larger than 2^53' },
      opt: {
        type: 'object',
        required: ['exp'],
        properties: {
          exp: {
            type: 'integer',
            format: 'uint64',
            description: 'expiry in Unix nanoseconds; larger than 2^53'
          },
          cont: { ...text, description: 'behaviour the answer is sent to' },
          topic: { ...text, description: 'topic of a broadcast' }
        }
      },
      msg: { ...bytes, description: 'JSON text of the payload' },
      cap: { ...bytes, description: 'JSON text of the capability tokens' },
      sig: {
        ...bytes,
        description: "signature of 'dms:msg:' and this object without sig, by the key of from.id"
      }
    }
  },
  Error: { type: 'object', required: ['error'], properties: { error: text } }
}
