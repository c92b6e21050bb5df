/** The rules over a set of sources. Pure: paths and texts in, violations out. */

import { importsOf, packageOf, resolveImport } from './imports.ts'
import { INNER_ORDER, LAYERS, PACKAGE_HOMES, RESTRICTED_DOMAINS, type Rule, SIDE_DOORS } from './layers.ts'
import { codeOnly, lineAt, withoutComments } from './scan.ts'

/** Texts by path from the root of the repository, for example `src/db/index.ts`. */
export type Sources = ReadonlyMap<string, string>

/** One broken rule. */
export interface Violation {
  readonly rule: Rule
  readonly file: string
  readonly line: number
  readonly message: string
}

/** Longest file, in lines. */
export const MAX_LINES = 500

/** Part of the tree with one door: `db`, `lib/did`, `dms/jobs`. */
export interface Domain {
  readonly name: string
  readonly layer: number
  /** Place in the order inside the layer; 0 may import all that follow. */
  readonly place: number
}

/** The domain of a file below `src`; `undefined` for a folder the tables do not know. */
export function domainOf(file: string): Domain | undefined {
  const [, top = '', inner = ''] = file.split('/')
  const layer = LAYERS.get(top)
  if (layer === undefined) return undefined
  const order = INNER_ORDER.get(top)
  if (order === undefined) return { name: top, layer, place: 0 }
  const place = order.indexOf(inner)
  return place < 0 ? undefined : { name: `${top}/${inner}`, layer, place }
}

/** Imports: layers, doors, homes of packages. */
export function checkImports(file: string, text: string): Violation[] {
  const found: Violation[] = []
  for (const { specifier, line, dynamic } of importsOf(text)) {
    const report = (rule: Rule, message: string): void => void found.push({ rule, file, line, message })
    if (specifier === '') {
      if (dynamic) report('import', 'imports a module whose name is computed')
      continue
    }
    const target = resolveImport(file, specifier)
    if (target === undefined) checkPackage(file, specifier, report)
    else checkTarget(file, target, report)
  }
  return found
}

type Report = (rule: Rule, message: string) => void

function checkPackage(file: string, specifier: string, report: Report): void {
  const name = packageOf(specifier)
  const homes = [...PACKAGE_HOMES].find(([home]) =>
    home.endsWith('/') ? name.startsWith(home) : name === home
  )?.[1]
  if (homes === undefined) {
    if (
      name === 'node:test' ||
      name === 'node:timers' ||
      name === 'node:timers/promises' ||
      name === 'node:process'
    ) {
      report('package', `'${name}' may not be imported`)
    } else if (!name.startsWith('node:')) report('package', `package '${name}' has no home in the table`)
    return
  }
  const allowed =
    homes.some(home => file.startsWith(home)) &&
    !homes.some(home => file.startsWith(home.slice(1)) && home.startsWith('!'))
  if (!allowed) report('package', `package '${name}' belongs in ${homes.join(', ')}`)
}

function checkTarget(file: string, target: string, report: Report): void {
  if (!file.startsWith('src/')) {
    // The entry point starts before anything is loaded; what it needs for that lies in cmd/cli.
    const open =
      !target.startsWith('src/') || target === 'src/cmd/index.ts' || target.startsWith('src/cmd/cli/')
    if (!open) report('door', `imports '${target}', only the door of cmd is open`)
  } else if (!target.startsWith('src/')) report('layer', `imports '${target}' from outside src`)
  else checkDomains(file, target, report)
}

function checkDomains(file: string, target: string, report: Report): void {
  const from = domainOf(file)
  const to = domainOf(target)
  if (from === undefined || to === undefined) {
    report('layer', `'${from === undefined ? file : target}' lies in no known domain`)
  } else if (from.name !== to.name) {
    const sameTop = from.name.split('/')[0] === to.name.split('/')[0]
    const allowed = sameTop ? from.place < to.place : from.layer > to.layer
    if (!allowed)
      report('layer', `${from.name} (layer ${from.layer}) may not import ${to.name} (layer ${to.layer})`)
    checkDoor(file, target, to, report)
  }
}

function checkDoor(file: string, target: string, to: Domain, report: Report): void {
  const readers = RESTRICTED_DOMAINS.get(to.name)
  if (readers && !readers.some(prefix => file.startsWith(prefix))) report('door', `may not import ${to.name}`)
  const sideReaders = SIDE_DOORS.get(target)
  if (sideReaders) {
    if (!sideReaders.some(prefix => file.startsWith(prefix)))
      report('door', `may not import the implementation '${target}'`)
  } else if (target !== `src/${to.name}/index.ts`)
    report('door', `imports '${target}', which lies behind the door of ${to.name}`)
}

const FORBIDDEN: readonly (readonly [Rule, RegExp, string])[] = [
  ['time', /\bDate\s*\.\s*now\b/g, 'Date.now'],
  ['time', /\bnew\s+Date\s*(?:\(\s*\)|(?![\s(.\w]))/g, 'new Date without an argument'],
  ['time', /(?<![.\w#$]|new )\bDate\s*\(/g, 'Date()'],
  ['time', /(?<![.\w#$])(?:setTimeout|setInterval|setImmediate)\b(?!\s*[?]?:)/g, 'a timer of the platform'],
  ['time', /\bglobalThis\s*\.\s*(?:set\w+|performance|Date)\b/g, 'the time of the platform'],
  ['time', /\bAbortSignal\s*\.\s*timeout\b/g, 'AbortSignal.timeout'],
  ['time', /(?<![.\w#$])performance\s*\.\s*\w+/g, 'performance'],
  ['time', /\bprocess\s*\.\s*(?:hrtime|uptime)\b/g, 'process.hrtime'],
  ['random', /\bMath\s*\.\s*random\b/g, 'Math.random'],
  [
    'random',
    /\b(?:randomBytes|randomUUID|randomInt|randomFill|randomFillSync|getRandomValues)\b/g,
    'randomness of the platform'
  ],
  ['environment', /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[/g, 'process.env'],
  ['exit', /\bprocess\s*\.\s*(?:exit|abort|reallyExit)\b(?!\w)/g, 'process.exit'],
  ['console', /(?<![.\w#$])console\s*(?:\?\.|\.)\s*\w+/g, 'console'],
  ['export', /\bexport\s+default\b|\bas\s+default\b/g, 'a default export'],
  ['export', /\bexport\s*\*/g, 'export *']
]

/** Names that only a few files may use, and forms of export nobody may. */
export function checkNames(file: string, text: string): Violation[] {
  const code = codeOnly(text)
  const found: Violation[] = []
  for (const [rule, pattern, what] of FORBIDDEN) {
    if (rule === 'console' && file.startsWith('src/cmd/')) continue
    for (const match of code.matchAll(pattern)) {
      found.push({ rule, file, line: lineAt(text, match.index), message: `uses ${what}` })
    }
  }
  return found
}

/** Length of a file. */
export function checkLength(file: string, text: string): Violation[] {
  const lines = text.trimEnd().split('\n').length
  return lines <= MAX_LINES
    ? []
    : [{ rule: 'length', file, line: lines, message: `has ${lines} lines, at most ${MAX_LINES}` }]
}

/**
 * Files that import each other in a circle; each circle is reported once. Type imports count. An import at run
 * time does not: it is how a command loads its handler only when it is called.
 */
export function checkCycles(sources: Sources): Violation[] {
  const found: Violation[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      const circle = [...path.slice(path.indexOf(file)), file]
      found.push({ rule: 'cycle', file, line: 1, message: circle.join(' → ') })
      return
    }
    state.set(file, 'open')
    for (const { specifier, dynamic } of importsOf(sources.get(file) ?? '')) {
      if (dynamic) continue
      const target = resolveImport(file, specifier)
      if (target !== undefined && sources.has(target)) visit(target, [...path, file])
    }
    state.set(file, 'done')
  }
  for (const file of sources.keys()) visit(file, [])
  return found
}

const REEXPORT = /\bexport\s+(?:type\s+)?\{([^}]*)\}\s*from\s*(['"])([^'"\n]+)\2/g

/** Doors: a package comment, and a docstring at every exported name. */
export function checkDocumentation(sources: Sources, door: string): Violation[] {
  const text = sources.get(door) ?? ''
  const found: Violation[] = []
  if (!/^\/\*\*[\s\S]*?@packageDocumentation[\s\S]*?\*\//.test(text)) {
    found.push({ rule: 'documentation', file: door, line: 1, message: 'the door has no package comment' })
  }
  for (const { name, from } of namesOf(text, door)) {
    if (isDocumented(sources, from, name)) continue
    found.push({
      rule: 'documentation',
      file: door,
      line: 1,
      message: `'${name}' of '${from}' has no docstring`
    })
  }
  return found
}

function namesOf(text: string, file: string): { name: string; from: string }[] {
  return [...withoutComments(text).matchAll(REEXPORT)].flatMap(match =>
    (match[1] ?? '')
      .split(',')
      .map(
        part =>
          part
            .trim()
            .replace(/^type\s+/, '')
            .split(/\s+as\s+/)[0]
            ?.trim() ?? ''
      )
      .filter(name => name !== '')
      .map(name => ({ name, from: resolveImport(file, match[3] ?? '') ?? '' }))
  )
}

/** Follows re-exports to the declaration and looks at what stands above it. */
function isDocumented(sources: Sources, file: string, name: string, depth = 0): boolean {
  const text = sources.get(file)
  if (text === undefined) return false
  const declaration = new RegExp(
    `(\\*/\\s*)?^export\\s+(?:declare\\s+)?(?:abstract\\s+)?(?:async\\s+)?(?:function\\*?|class|interface|type|const|let)\\s+${name.replaceAll('$', '\\$')}\\b`,
    'm'
  ).exec(text)
  if (declaration) return declaration[1] !== undefined
  const further = namesOf(text, file).find(entry => entry.name === name)
  return further !== undefined && depth < 4 && isDocumented(sources, further.from, name, depth + 1)
}
