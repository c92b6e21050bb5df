/**
 * Prepares a clone: dependencies, the private Node the program runs on, the bundle. Runs on any Node from 20 and
 * without dependencies; does nothing when all is in place. Everything stays inside the clone.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
process.chdir(root)
const stampFile = 'node_modules/.setup-stamp'
const MINIMUM_NODE = 24

function say(text) {
  process.stderr.write(`setup: ${text}\n`)
}

function run(command, args) {
  const result = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
  if (result.error) throw result.error
  if (result.status !== 0) {
    say(`'${command} ${args.join(' ')}' failed with exit code ${result.status}`)
    process.exit(1)
  }
}

function digest(files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

function sourceFiles(directory) {
  return readdirSync(directory).flatMap(name => {
    const path = join(directory, name)
    return statSync(path).isDirectory() ? sourceFiles(path) : [path]
  })
}

/** The registry's Node package brings the binary; where there is none, a system Node that is new enough serves. */
function linkNode() {
  if (existsSync('node_modules/.bin/node')) return
  if (Number(process.versions.node.split('.')[0]) < MINIMUM_NODE) {
    say(
      `Node ${MINIMUM_NODE} or newer is needed and could not be installed for ${process.platform}-${process.arch}`
    )
    say(`install it from your distribution or nodejs.org, then run this again`)
    process.exit(1)
  }
  mkdirSync('node_modules/.bin', { recursive: true })
  symlinkSync(process.execPath, 'node_modules/.bin/node')
}

const wanted = digest(['package.json', 'package-lock.json'])
if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wanted) {
  say('installing dependencies and a private Node into node_modules (about a minute)')
  // Not `npm ci`: it insists on optional packages of every platform, which not every mirror carries. The lock file is
  // obeyed and left alone all the same.
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'])
  linkNode()
  writeFileSync(stampFile, wanted)
}

const buildStamp = 'dist/.build-stamp'
const sources = digest([
  ...sourceFiles('bin'),
  ...sourceFiles('src'),
  'scripts/build.mjs',
  'tsconfig.json',
  'tsconfig.doors.json',
  'package-lock.json'
])
if (!existsSync(buildStamp) || readFileSync(buildStamp, 'utf8') !== sources) {
  say('building the bundle')
  run('node_modules/.bin/node', ['scripts/build.mjs'])
  writeFileSync(buildStamp, sources)
}
