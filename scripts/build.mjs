/**
 * Bundles the CLI and the daemon into `dist`: one small entry, the rest in chunks that load when needed. And the doors
 * of the library into `dist/doors`, with their declarations, for programs of others (docs/library.md).
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { build } from 'esbuild'

/** A fact of the commit that is built; a build from an archive has none. */
function git(...args) {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}

const root = resolve('src')

/** Imported name to [file, name there] of one door, read from its explicit export list; doors behind doors are followed. */
const doors = new Map()
function readDoor(path) {
  const known = doors.get(path)
  if (known) return known
  const names = new Map()
  doors.set(path, names)
  for (const [, list, from] of readFileSync(path, 'utf8').matchAll(
    /^export \{([^}]*)\} from '(\.[^']+)'/gm
  )) {
    const target = resolve(dirname(path), from)
    for (const [inner, outer] of specifiers(list)) {
      const behind = target.endsWith('/index.ts') ? readDoor(target).get(inner) : undefined
      names.set(outer, behind ?? [target, inner])
    }
  }
  return names
}

/** `a, type B, c as d` as pairs of names; types are left out. */
function specifiers(list) {
  return list
    .split(',')
    .map(part => part.replace(/\/\/.*$/gm, '').trim())
    .filter(part => part !== '' && !part.startsWith('type '))
    .map(part => part.split(/\s+as\s+/))
    .map(([inner, outer = inner]) => [inner, outer])
}

/**
 * Takes every import that goes through a door of this program straight to the file behind it. Code splitting works
 * by file: without this, whoever uses one function of a door loads all that stands behind it, built-ins included.
 */
const throughDoors = {
  name: 'through-doors',
  setup(builder) {
    builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (!path.startsWith(root)) return undefined
      const text = readFileSync(path, 'utf8')
      const contents = text.replace(/^import \{([^}]*)\} from '(\.[^']*\/index\.ts)'/gm, (_, list, from) =>
        specifiers(list)
          .map(([name, local]) => {
            const [file, inner] = readDoor(resolve(dirname(path), from)).get(name) ?? [
              resolve(dirname(path), from),
              name
            ]
            return `import {${inner} as ${local}} from './${relative(dirname(path), file)}'`
          })
          .join(';')
      )
      return { contents, loader: 'ts' }
    })
  }
}

/** Modules of this program do nothing when they are imported, so those nothing is used of are left out. */
const pureModules = {
  name: 'pure-modules',
  setup(builder) {
    builder.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, args => {
      const path = resolve(args.resolveDir, args.path)
      return path.startsWith(root) ? { path, sideEffects: false } : undefined
    })
  }
}

/**
 * Built-ins as objects. An ES import of `node:http` reads all its members, among them a WebSocket that loads a second
 * HTTP client: 34 ms and some megabytes. And CommonJS dependencies find their built-ins without a `require`.
 */
const objectBuiltins = {
  name: 'object-builtins',
  setup(builder) {
    builder.onResolve({ filter: /^(node:)?[a-z_/0-9]+$/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined
      const name = path.replace('node:', '')
      return kind === 'require-call' || name === 'http' || name === 'https'
        ? { path: name, namespace: 'builtin' }
        : undefined
    })
    builder.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`,
      loader: 'js'
    }))
  }
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
// The commit's date, not today's: the same sources give the same bundle.
// One text: an object would be shared by all modules that name it and make the bundler wrap every one of them.
const facts = JSON.stringify(
  [version, git('rev-parse', '--short=12', 'HEAD'), git('log', '-1', '--format=%cI')].join(' ')
)

// Beside the old one, which it replaces when all is made: a build that fails leaves what works.
const target = process.argv[2] ?? 'dist'
const outdir = `${target}-${process.pid}`
process.on('exit', () => rmSync(outdir, { recursive: true, force: true }))

/** What the program runs on: this very Node, so nothing is translated. */
const program = {
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  define: { NUNET_BUILD: facts },
  // Finds its binary from its own place in node_modules.
  external: ['koffi'],
  plugins: [throughDoors, pureModules, objectBuiltins],
  logLevel: 'warning'
}
await build({
  ...program,
  entryPoints: { nunet: 'bin/nunet.ts' },
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]'
})
// By themselves: whatever they shared with the commands would become a chunk that every command loads.
for (const name of ['runner', 'worker'])
  await build({ ...program, entryPoints: { [`wasm-${name}`]: `src/executor/wasm/${name}.ts` } })
chmodSync(`${outdir}/nunet.js`, 0o755)

// Readable, since others step through it, and for the Node of others. Packages stay imports, so that a program that uses
// them as well has them once.
await build({
  entryPoints: {
    base: 'src/utils/base-door.ts',
    crypto: 'src/lib/crypto/index.ts',
    did: 'src/lib/did/index.ts',
    ucan: 'src/lib/ucan/index.ts'
  },
  outdir: `${outdir}/doors`,
  bundle: true,
  packages: 'external',
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: 'chunks/[name]-[hash]',
  plugins: [throughDoors, pureModules],
  logLevel: 'warning'
})
declareDoors(`${outdir}/doors/types`)
rmSync(target, { recursive: true, force: true })
renameSync(outdir, target)

/** Declarations of the doors and of all they mention; types are checked elsewhere. */
function declareDoors(directory) {
  execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.doors.json', '--outDir', directory], {
    stdio: 'inherit'
  })
  // The compiler leaves the names of sources; older compilers of others look for declarations by the names of programs.
  for (const file of globSync('**/*.d.ts', { cwd: directory })) {
    const path = join(directory, file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(/(\bfrom |\bimport\()'(\.[^']*)\.ts'/g, "$1'$2.js'"))
  }
}
