#!/usr/bin/env node
/** The command `nunet`: finds a Node that is new enough, turns on its cache of compiled code, and hands over. */
import { ensureModernNode, useCompileCache } from '../src/cmd/cli/bootstrap.ts'

if (await ensureModernNode(import.meta.url)) {
  useCompileCache(import.meta.url)
  const { main } = await import('../src/cmd/index.ts')
  await main(process.argv.slice(2))
}
