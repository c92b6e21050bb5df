#!/usr/bin/env node
/** The command `nunet`: needs a current Node, keeps compiled code from run to run, and hands over. */
import { keepCompiledCode, needsOtherNode } from '../src/cmd/cli/bootstrap.ts'

if (needsOtherNode()) {
  const { runOnPrivateNode } = await import('../src/cmd/cli/private-node.ts')
  await runOnPrivateNode(import.meta.url)
} else {
  keepCompiledCode(import.meta.dirname)
  const { main } = await import('../src/cmd/index.ts')
  await main(process.argv.slice(2))
}
