import {
  type Anchors,
  type CapabilityFile,
  contextToFile,
  createCapabilityStore,
  lookUpIssuers,
  type Token
} from '../../lib/ucan/index.ts'
import { errorCode } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { oneLine } from '../cli/printable.ts'
import { fileAccess, noContext } from '../session/context-file.ts'
import { tellDaemon } from '../session/daemon-signal.ts'
import { keyLookup, openContext } from '../session/did-keys.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import { contextNameOf } from '../session/wallet-name.ts'

/**
 * Changes the anchors in a context's file under its lock and tells a running daemon. The context is opened without
 * a key: anchors are verified, not signed. Only a sealed file needs the key of its owner. When `change` throws, the file
 * stays as it was. `tokens` are those it will verify: keys of their issuers are looked up before the lock is taken.
 */
export async function changeAnchors(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  name: string,
  change: (anchors: Anchors) => void,
  { forgetSetAside = false, tokens = [] }: { forgetSetAside?: boolean; tokens?: readonly Token[] } = {}
): Promise<void> {
  const config = loadSettings(cli, globals)
  const paths = userPaths(config)
  const store = createCapabilityStore(cli, { directory: paths.capabilities })
  const lookup = keyLookup(cli, config)
  await lookUpIssuers(tokens, lookup, { signal: cli.signal })
  const apply = async (file: CapabilityFile): Promise<CapabilityFile> => {
    const { context, setAside } = await openContext(cli, lookup, { owner: file.did }, file)
    change(context.anchors)
    return contextToFile(context, forgetSetAside ? [] : setAside)
  }
  const file = contextNameOf(name)
  try {
    await store.update(file, apply, fileAccess(cli, { config, globals, name }))
  } catch (error) {
    throw errorCode(error) === 'UCAN_FILE_MISSING' ? noContext(name, await store.list()) : error
  }
  const told = await tellDaemon(cli.files, paths.run, file)
  if (told.problem !== undefined)
    cli.terminal.err(`warning: the running daemon was not told: ${oneLine(told.problem)}\n`)
}
