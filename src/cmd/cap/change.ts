import {
  type Anchors,
  type CapabilityFile,
  contextToFile,
  createCapabilityContext,
  createCapabilityStore
} from '../../lib/ucan/index.ts'
import type { Cli } from '../cli/command.ts'
import { oneLine } from '../cli/printable.ts'
import { fileAccess } from '../session/context-file.ts'
import { tellDaemon } from '../session/daemon-signal.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import { contextNameOf } from '../session/wallet.ts'

/**
 * Changes the anchors in a context's file under its lock and tells a running daemon. The context is opened without
 * a key: anchors are verified, not signed. Only a sealed file needs the key of its owner. When `change` throws, the file
 * stays as it was.
 */
export async function changeAnchors(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  name: string,
  change: (anchors: Anchors) => void,
  { forgetSetAside = false }: { forgetSetAside?: boolean } = {}
): Promise<void> {
  const config = loadSettings(cli, globals)
  const paths = userPaths(config)
  const store = createCapabilityStore(cli, { directory: paths.capabilities })
  const apply = (file: CapabilityFile): CapabilityFile => {
    const { context, setAside } = createCapabilityContext({ ...cli, owner: file.did }, file)
    change(context.anchors)
    return contextToFile(context, forgetSetAside ? [] : setAside)
  }
  const file = contextNameOf(name)
  await store.update(file, apply, fileAccess(cli, { config, globals, name }))
  const told = await tellDaemon(cli.files, paths.run, file)
  if (told.problem !== undefined)
    cli.terminal.err(`warning: the running daemon was not told: ${oneLine(told.problem)}\n`)
}
