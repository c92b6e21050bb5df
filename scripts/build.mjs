/** Bundles the CLI and the daemon into `dist`: one small entry, the rest in chunks that load when needed. */
import { rmSync } from 'node:fs'
import { build } from 'esbuild'

rmSync('dist', { recursive: true, force: true })

await build({
  entryPoints: { nunet: 'bin/nunet.ts', 'wasm-runner': 'src/executor/wasm/runner.ts', 'wasm-worker': 'src/executor/wasm/worker.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  chunkNames: 'chunks/[name]-[hash]',
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  logLevel: 'warning'
})
