/** What a node trusts and may do when it joins others: the steps of the quick start (identity-and-actors §11.1). */

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Config } from '../../config/index.ts'
import type { Signer } from '../../lib/did/index.ts'
import {
  type Anchors,
  type CapabilityStore,
  contextToFile,
  createCapabilityStore,
  type FileAccess,
  formatToken,
  type KeyLookup,
  lookUpIssuers,
  type Token
} from '../../lib/ucan/index.ts'
import type { Did, Result } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { readDid, readTokens } from '../cap/tokens.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError, RefusedError } from '../cli/errors.ts'
import { keyLookup, openContext } from '../session/did-keys.ts'
import { openIdentity } from '../session/identity.ts'
import { userPaths } from '../session/paths.ts'
import { openSigner } from '../session/signer.ts'
import type { Passphrases } from './identities.ts'

/** What members of an organisation need: to greet, to deploy and to answer, on the network's topics. */
const MEMBER_CAPABILITIES = ['/public', '/broadcast', '/dms/deployment']
const MEMBER_TOPICS = ['/nunet']
/** How long an organisation is trusted before it must be said again. Milliseconds. */
const TRUST_MS = 365 * 86_400_000
const MAX_TOKEN_FILE = 1_000_000

export interface TrustWishes {
  readonly trust: readonly string[]
  readonly provideFiles: readonly string[]
  readonly requireFiles: readonly string[]
}

export interface NodeNames {
  readonly user: { readonly name: string; readonly did: Did }
  readonly node: { readonly name: string; readonly did: Did }
}

/** Anchors everything that is not anchored yet. */
export async function ensureTrust(
  cli: Cli,
  config: Config,
  names: NodeNames,
  wishes: TrustWishes,
  passphrases: Passphrases
): Promise<void> {
  const store = createCapabilityStore(cli, { directory: userPaths(config).capabilities })
  const anchor = new AnchorBook(cli, { store, lookup: keyLookup(cli, config) }, name =>
    openSigner(cli, { config, globals: new Map(), name, passphrase: () => passphrases.get(name, false) })
  )
  await anchor.root(names.node.name, names.user.did)
  for (const token of await readTokenFiles(cli, wishes.requireFiles))
    await anchor.tokens(names.node.name, 'require', [token])
  const issuer = new Issuer(cli, config, names, passphrases)
  for (const organisation of wishes.trust.map(readDid)) {
    if (await anchor.trusts(names.node.name, organisation)) continue
    await anchor.tokens(names.node.name, 'require', [await issuer.grant(organisation)])
  }
  for (const token of await readTokenFiles(cli, wishes.provideFiles))
    await passOn(anchor, issuer, names, token)
}

/** A token for the node is anchored there; one for its owner as well, and the node gets a delegation of it. */
async function passOn(
  anchor: AnchorBook,
  issuer: Issuer,
  { user, node }: NodeNames,
  token: Token
): Promise<void> {
  if (token.subject === node.did) return await anchor.tokens(node.name, 'provide', [token])
  if (token.subject !== user.did) {
    throw new CommandError(
      `the token is for ${token.subject}, neither for '${user.name}' nor for '${node.name}'`,
      {
        hint: `ask for one for ${user.did}`
      }
    )
  }
  if (await anchor.delegates(node.name, token)) return
  await anchor.tokens(user.name, 'provide', [token])
  await anchor.tokens(node.name, 'provide', await issuer.delegate(token))
}

async function readTokenFiles(cli: Cli, files: readonly string[]): Promise<Token[]> {
  const lists = await Promise.all(files.map(file => readTokenFile(resolve(cli.directory, file), cli.signal)))
  return lists.flat()
}

async function readTokenFile(path: string, signal: AbortSignal): Promise<readonly Token[]> {
  try {
    const text = await readFile(path, { encoding: 'utf8', signal })
    if (text.length > MAX_TOKEN_FILE) throw new CommandError('it is too long')
    return readTokens(text.trim())
  } catch (cause) {
    if (cause instanceof RefusedError) throw cause
    throw new CommandError(`cannot read tokens from '${path}': ${errorMessage(cause)}`, { cause })
  }
}

/** Changes anchors in capability files, and says so. */
class AnchorBook {
  readonly #cli: Cli
  readonly #store: CapabilityStore
  readonly #lookup: KeyLookup
  readonly #open: (context: string) => Promise<Signer>
  /** Keys of sealed contexts, opened once: it costs a second. */
  readonly #signers = new Map<string, Promise<Signer>>()

  constructor(
    cli: Cli,
    deps: { store: CapabilityStore; lookup: KeyLookup },
    open: (context: string) => Promise<Signer>
  ) {
    this.#cli = cli
    this.#store = deps.store
    this.#lookup = deps.lookup
    this.#open = open
  }

  async root(context: string, did: Did): Promise<void> {
    const file = await this.#store.load(context, this.#access(context))
    if (file?.roots.includes(did)) return
    await this.#change(context, anchors => {
      anchors.addRoot(did)
      return { ok: true, value: undefined }
    })
    this.#cli.terminal.err(`'${context}' obeys ${did}\n`)
  }

  async tokens(context: string, kind: 'require' | 'provide', tokens: readonly Token[]): Promise<void> {
    const file = await this.#store.load(context, this.#access(context))
    const known = new Set((file?.[kind] ?? []).map(formatToken))
    const missing = tokens.filter(token => !known.has(formatToken(token)))
    if (missing.length === 0) return
    await lookUpIssuers(missing, this.#lookup, { signal: this.#cli.signal })
    await this.#change(context, anchors =>
      kind === 'require' ? anchors.addRequire(missing) : anchors.addProvide(missing)
    )
    this.#cli.terminal.err(
      `'${context}' has ${missing.length} new ${kind} ${missing.length === 1 ? 'token' : 'tokens'}\n`
    )
  }

  /** Whether an organisation's members are let in already. */
  async trusts(context: string, organisation: Did): Promise<boolean> {
    const file = await this.#store.load(context, this.#access(context))
    return (
      file?.require.some(
        token => token.subject === organisation && token.expiresAtNs > this.#cli.clock.nowNs()
      ) ?? false
    )
  }

  /** Whether the context holds a delegation of a token. */
  async delegates(context: string, token: Token): Promise<boolean> {
    const file = await this.#store.load(context, this.#access(context))
    const text = formatToken(token)
    return file?.provide.some(held => held.chain !== undefined && formatToken(held.chain) === text) ?? false
  }

  async #change(context: string, change: (anchors: Anchors) => Result<void>): Promise<void> {
    await this.#store.update(
      context,
      async file => {
        const { context: opened, setAside } = await openContext(
          this.#cli,
          this.#lookup,
          { owner: file.did },
          file
        )
        const changed = change(opened.anchors)
        if (!changed.ok)
          throw new RefusedError(`'${context}' does not accept the token; nothing was changed`, changed.error)
        return contextToFile(opened, setAside)
      },
      this.#access(context)
    )
  }

  #access(context: string): FileAccess {
    const signer = (): Promise<Signer> => {
      const opening = this.#signers.get(context) ?? this.#open(context)
      this.#signers.set(context, opening)
      return opening
    }
    return { signal: this.#cli.signal, signer }
  }
}

/** Signs with the owner's key, which is opened when it is first needed. */
class Issuer {
  readonly #cli: Cli
  readonly #config: Config
  readonly #names: NodeNames
  readonly #passphrases: Passphrases

  constructor(cli: Cli, config: Config, names: NodeNames, passphrases: Passphrases) {
    this.#cli = cli
    this.#config = config
    this.#names = names
    this.#passphrases = passphrases
  }

  async grant(organisation: Did): Promise<Token> {
    const context = await this.#open()
    return await context.grant({
      action: 'delegate',
      subject: organisation,
      topics: MEMBER_TOPICS,
      capabilities: MEMBER_CAPABILITIES,
      expiresAtNs: this.#cli.clock.nowNs() + BigInt(TRUST_MS) * 1_000_000n,
      depth: 0n
    })
  }

  async delegate(token: Token): Promise<readonly Token[]> {
    const context = await this.#open()
    const delegated = await context.delegate({
      action: 'delegate',
      subject: this.#names.node.did,
      topics: token.topics,
      capabilities: token.capabilities ?? [],
      expiresAtNs: 0n,
      depth: 0n,
      selfSign: 'no'
    })
    if (delegated.ok) return delegated.value
    throw new RefusedError('the token cannot be passed on to the node', delegated.error)
  }

  /** Opened anew each time: what was anchored a moment ago must count. */
  async #open() {
    const { name } = this.#names.user
    const passphrase = (): Promise<string> => this.#passphrases.get(name, false)
    const request = { config: this.#config, globals: new Map(), name, passphrase }
    return (await openIdentity(this.#cli, request)).context
  }
}
