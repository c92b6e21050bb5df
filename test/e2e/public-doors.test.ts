/**
 * The doors of the library as another program meets them: packed, unpacked into its `node_modules`, compiled against
 * the declarations and run. Nothing here reads a source but the examples.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type Example, exampleOfDoor, examplesOfPage, matchesOutput } from '../../scripts/docs/examples.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../utils/index.ts'

const run = promisify(execFile)

const DOORS = {
  base: 'src/utils/base-door.ts',
  crypto: 'src/lib/crypto/index.ts',
  did: 'src/lib/did/index.ts',
  ucan: 'src/lib/ucan/index.ts'
} as const

/** What the doors export, written by hand: a name that comes or goes is a decision. */
const API: Readonly<Record<string, { values: string[]; types: string[] }>> = JSON.parse(
  readFileSync('test/fixtures/public-api.json', 'utf8')
)

const EXAMPLES: readonly Example[] = [
  ...examplesOfPage('docs/library.md', readFileSync('docs/library.md', 'utf8')),
  ...Object.values(DOORS).map(path => exampleOfDoor(path, readFileSync(path, 'utf8')))
]

/** What a strict program of somebody else sets; libraries are checked too. */
const STRICT = {
  target: 'es2022',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  outDir: 'out'
}

let program: TemporaryDirectory

before(async () => {
  program = await temporaryDirectory()
  await install(program)
  await writeFile(program.join('package.json'), '{ "type": "module" }')
  for (const [index, example] of EXAMPLES.entries())
    await writeFile(program.join(`example-${index}.${example.language}`), example.code)
  await writeFile(
    program.join('tsconfig.json'),
    JSON.stringify({ compilerOptions: STRICT, include: ['*.ts'] })
  )
})

after(async () => await program[Symbol.asyncDispose]())

/** The packed package, and beside it what a package manager would bring: its dependencies, and Node's types. */
async function install({ path, join: inside }: TemporaryDirectory): Promise<void> {
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', path])
  const [tarball] = readdirSync(path).filter(name => name.endsWith('.tgz'))
  assert.ok(tarball, 'npm packed something')
  await mkdir(inside('node_modules/nunet-dms'), { recursive: true })
  await run('tar', ['-xzf', inside(tarball), '-C', inside('node_modules/nunet-dms'), '--strip-components=1'])
  const { dependencies } = JSON.parse(await readFile(inside('node_modules/nunet-dms/package.json'), 'utf8'))
  for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) {
    await mkdir(dirname(inside('node_modules', name)), { recursive: true })
    await symlink(resolve('node_modules', name), inside('node_modules', name))
  }
}

/** What a program in the directory of the outside user prints. */
async function output(node: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(node, args, { cwd: program.path })
  assert.equal(stderr, '')
  return stdout
}

/** Evaluates a module there; it prints one JSON value. */
async function evaluate(code: string, ...options: string[]): Promise<unknown> {
  return JSON.parse(await output(process.execPath, ...options, '--input-type=module', '--eval', code))
}

/** A Node of the oldest release line the doors run on, when the machine has one. */
async function oldNode(): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(':')) {
    const node = join(directory, 'node')
    const version = await run(node, ['--version']).then(
      ({ stdout }) => stdout,
      () => ''
    )
    if (version.startsWith('v20.')) return node
  }
  return undefined
}

const old = await oldNode()

describe('programs of the documentation', () => {
  it('compile in strict mode against the declarations of the package', async () => {
    const checked = await run(process.execPath, [
      resolve('node_modules/typescript/bin/tsc'),
      '-p',
      program.join('tsconfig.json')
    ]).catch((error: { stdout: string }) => error)
    assert.equal(checked.stdout, '', 'the compiler has nothing to say')
  })

  for (const [index, { place, language, output: wanted }] of EXAMPLES.entries()) {
    const file = language === 'ts' ? `out/example-${index}.js` : `example-${index}.cjs`

    it(`print what they say: ${place}`, async () => {
      const printed = await output(process.execPath, file)
      assert.ok(wanted !== undefined, 'its output is written down')
      assert.ok(matchesOutput(printed, wanted), `printed\n${printed}instead of\n${wanted.join('\n')}`)
    })

    it(`print the same on Node 20: ${place}`, { skip: old ? false : 'needs a Node 20 in PATH' }, async () => {
      const printed = await output(old ?? '', file)
      assert.ok(matchesOutput(printed, wanted ?? []), printed)
    })
  }
})

describe('the doors of the library', () => {
  for (const door of Object.keys(DOORS)) {
    it(`'${door}' exports what is written down, and nothing else`, async () => {
      const names = await evaluate(
        `console.log(JSON.stringify(Object.keys(await import('nunet-dms/${door}')).sort()))`
      )
      assert.deepEqual(names, API[door]?.values, 'see test/fixtures/public-api.json')
      assert.deepEqual(await declaredTypes(door), API[door]?.types, 'see test/fixtures/public-api.json')
    })
  }

  it('are the only things that can be imported', async () => {
    const attempts = [
      'nunet-dms',
      'nunet-dms/package.json',
      'nunet-dms/network',
      'nunet-dms/ucan/verify.js',
      'nunet-dms/dist/doors/ucan.js',
      'nunet-dms/dist/nunet.js',
      'nunet-dms/dist/doors/types/lib/ucan/index.d.ts'
    ]
    const code = `
      const codes = {}
      for (const name of ${JSON.stringify(attempts)})
        codes[name] = await import(name).then(() => 'imported', error => error.code)
      console.log(JSON.stringify(codes))`
    const refused = 'ERR_PACKAGE_PATH_NOT_EXPORTED'
    assert.deepEqual(await evaluate(code), Object.fromEntries(attempts.map(name => [name, refused])))
  })

  it('share their classes and what they remember', async () => {
    const code = `
      const base = await import('nunet-dms/base')
      const { KeyFormatError, parsePeerId } = await import('nunet-dms/crypto')
      const { didOfPeerId, publicKeyOfDid } = await import('nunet-dms/did')
      const { createCapabilityContext, CapabilityError } = await import('nunet-dms/ucan')
      const { generateKey, peerIdOf } = await import('nunet-dms/crypto')
      const key = generateKey(base.systemRandom)
      const caught = work => { try { work() } catch (error) { return error } }
      const format = caught(() => didOfPeerId('no peer id'))
      const owner = didOfPeerId(peerIdOf(key.publicKey))
      const other = didOfPeerId(peerIdOf(generateKey(base.systemRandom).publicKey))
      const file = { did: other, roots: [], require: [], provide: [], revoke: [], setAside: [] }
      const deps = { clock: base.systemClock, random: base.systemRandom, owner }
      const wrong = caught(() => createCapabilityContext(deps, file))
      console.log(JSON.stringify([
        format instanceof KeyFormatError, format instanceof base.NuError,
        wrong instanceof CapabilityError, wrong instanceof base.NuError,
        publicKeyOfDid(owner) === publicKeyOfDid(owner)
      ]))`
    assert.deepEqual(await evaluate(code), [true, true, true, true, true])
  })

  it('do nothing when they are imported, and take no time', async () => {
    const loaded = `
      const before = new Set(process.moduleLoadList)
      const startedMs = performance.now()
      for (const door of ${JSON.stringify(Object.keys(DOORS))}) await import('nunet-dms/' + door)
      const tookMs = performance.now() - startedMs
      const builtins = process.moduleLoadList.filter(name => !before.has(name)).map(name => name.split(' ').at(-1))
      console.log(JSON.stringify({ tookMs, builtins, active: process.getActiveResourcesInfo() }))`
    // May read its own modules, and neither write, start a program or a thread, nor look anywhere else.
    const permissions = ['--permission', `--allow-fs-read=${program.join('node_modules')}`]
    const { tookMs, builtins, active } = (await evaluate(loaded, ...permissions)) as {
      tookMs: number
      builtins: string[]
      active: string[]
    }
    assert.ok(tookMs < 1000, `${tookMs} ms`)
    assert.deepEqual(
      builtins.filter(name =>
        ['http', 'https', 'http2', 'tls', 'dgram', 'child_process', 'sqlite'].includes(name)
      ),
      []
    )
    const waiting = active.filter(name => name !== 'PipeWrap' && name !== 'TTYWrap')
    assert.deepEqual(waiting, [])
  })

  it('have declarations that mention no file that is not in the package', async () => {
    const root = program.join('node_modules/nunet-dms/dist/doors/types')
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('.d.ts')
    )
    assert.ok(files.length > 20)
    for (const file of files) {
      const text = (await readFile(join(root, file), 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '')
      for (const [, specifier = ''] of text.matchAll(/(?:\bfrom |\bimport\(|^import )'([^']+)'/gm)) {
        if (specifier.startsWith('node:')) continue
        assert.match(specifier, /^\..*\.js$/, `${file} mentions '${specifier}'`)
        const target = relative(root, resolve(root, dirname(file), specifier.replace(/\.js$/, '.d.ts')))
        assert.ok(files.includes(target), `${file} mentions '${specifier}'`)
      }
      assert.doesNotMatch(text, /<reference/)
    }
  })
})

/** Names of types that the declarations of a door list, sorted. */
async function declaredTypes(door: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(program.join('node_modules/nunet-dms/package.json'), 'utf8'))
  const text = await readFile(
    program.join('node_modules/nunet-dms', manifest.exports[`./${door}`].types),
    'utf8'
  )
  assert.doesNotMatch(text, /export \*|export default/)
  const names: string[] = []
  for (const [, only, list = ''] of text.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const part of list.split(',').map(item => item.trim())) {
      if (only !== undefined) names.push(part)
      else if (part.startsWith('type ')) names.push(part.slice('type '.length))
    }
  }
  return names.sort()
}
