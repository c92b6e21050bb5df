/**
 * What happens before anything else is loaded. NOTE: it runs on old Nodes as well (a system's `node` may be 20), and
 * every built-in named in an import here would be loaded on each start, so it takes them when it needs them.
 */

/** `node:sqlite`, `using` and others; `engines` in package.json says what starts at all. */
export const MINIMUM_NODE = 24

/** Whether this Node is too old for the program. */
export function needsOtherNode(): boolean {
  return Number(process.versions.node.split('.')[0]) < MINIMUM_NODE
}

/** Keeps compiled code beside the bundle, or in the user's cache when that directory belongs to somebody else. */
export function keepCompiledCode(directory: string): void {
  const { enableCompileCache, constants } = process.getBuiltinModule('node:module')
  const { status } = enableCompileCache(`${directory}/../.cache/compile`)
  if (status !== constants.compileCacheStatus.FAILED) return
  const { homedir } = process.getBuiltinModule('node:os')
  enableCompileCache(`${homedir()}/.cache/nunet/compile`)
}
