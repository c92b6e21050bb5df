/** The behaviours of a node's anchors and revocations (identity-and-actors §4.5, cli-api-config §3). */

import { exactJson } from '../../../actor/message/index.ts'
import { formatTokenList } from '../../../lib/ucan/index.ts'
import { readDid, readTokens } from '../../cap/tokens.ts'
import type { FlagTable } from '../../cli/flags.ts'
import { behavior } from './behavior.ts'
import type { BehaviorSpec } from './types.ts'

const TOKEN_FLAGS = {
  token: { kind: 'string', description: 'token as JSON, or a token list', required: true }
} as const satisfies FlagTable

/** Read before it is sent: a token with a typing mistake is told here. */
function tokenList(text: string): unknown {
  return exactJson(formatTokenList(readTokens(text)))
}

function didList(text: string): unknown {
  return [{ uri: readDid(text) }]
}

/** A behaviour that takes one token. */
function taking(path: string, summary: string): BehaviorSpec {
  return behavior({
    path,
    summary,
    flags: TOKEN_FLAGS,
    examples: [`nunet actor cmd -c user ${path} --token "$(cat token.json)"`],
    prepare: async () => ({ make: async flags => ({ Token: tokenList(flags.token) }) })
  })
}

/** Rows of the table. */
export const capabilities: readonly BehaviorSpec[] = [
  behavior({
    path: '/dms/cap/list',
    summary: "list a node's anchors",
    // The same word names the context to act with and the one that is asked for (cli-api-config §3).
    flags: { context: { kind: 'string', short: 'c', description: 'context', default: 'user' } },
    payload: flags => ({ Context: flags.context })
  }),
  behavior({
    path: '/dms/cap/anchor',
    summary: 'add an anchor to a node (the older form)',
    flags: {
      root: { kind: 'bool', description: '--data is a DID that may do everything' },
      require: { kind: 'bool', description: '--data is a token list: whom to accept' },
      provide: { kind: 'bool', description: '--data is a token list: what the node was granted' },
      revoke: { kind: 'bool', description: '--data is a revocation' },
      data: { kind: 'string', description: 'DID or tokens', required: true }
    },
    oneOf: [['root', 'require', 'provide', 'revoke']],
    examples: ['nunet actor cmd -c user /dms/cap/anchor --require --data "$(cat token.json)"'],
    prepare: async () => ({
      make: async flags => {
        if (flags.root) return { Root: didList(flags.data) }
        const list = tokenList(flags.data)
        if (flags.require) return { Require: list }
        return flags.provide ? { Provide: list } : { Revoke: list }
      }
    })
  }),
  behavior({
    path: '/dms/cap/root/anchor',
    summary: 'let a DID do everything on a node',
    flags: { did: { kind: 'string', description: 'DID', required: true } },
    examples: ['nunet actor cmd -c user /dms/cap/root/anchor --did did:key:…'],
    prepare: async () => ({ make: async flags => ({ DID: didList(flags.did) }) })
  }),
  taking('/dms/cap/require/anchor', 'tell a node whom to accept'),
  taking('/dms/cap/provide/anchor', 'give a node what it was granted'),
  taking('/dms/cap/revoke/anchor', 'tell a node of a revocation'),
  taking('/dms/cap/revoke/broadcast', 'let a node tell its network of a revocation'),
  behavior({
    path: '/dms/cap/revocation/status',
    summary: 'tell how old the knowledge of revocations is'
  }),
  behavior({
    path: '/dms/cap/revocation/list',
    summary: 'list the revocations a node knows',
    flags: {
      limit: { kind: 'int', description: 'at most so many', default: '128' },
      offset: { kind: 'int', description: 'leave out so many', default: '0' }
    },
    payload: flags => ({ Limit: flags.limit, Offset: flags.offset })
  })
]
