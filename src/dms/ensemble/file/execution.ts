/**
 * Reads `allocations.*.execution` (deployment §1.4.4): flat in the file, `{ type, params }` on the wire. Keys an
 * executor does not know travel with a warning: real files have some, and executors ignore them.
 */

import { parseDurationMs } from '../../../utils/index.ts'
import type { ExecutionSpec } from '../types.ts'
import { defined, type Field, type FieldMap, plainValue, quotedList } from './field.ts'
import type { ModulePacker } from './wasm.ts'

const EXECUTORS = ['docker', 'wasm', 'firecracker', 'null'] as const

/** What reading an execution needs beside its field. */
export interface ExecutionContext {
  readonly packer: ModulePacker
  /** The executor of tests and simulations. */
  readonly allowMock: boolean
}

type Params = Record<string, unknown>

/** Names an allocation may give as `executor`. */
export function executorNames(allowMock: boolean): readonly string[] {
  return allowMock ? [...EXECUTORS, 'mock'] : EXECUTORS
}

/** `executor` or `execution.type`. YAML reads a bare `null` as no value; here it is the name of an executor. */
export function readExecutorName(field: Field, allowMock: boolean): string | undefined {
  const names = executorNames(allowMock)
  if (field.node?.kind === 'scalar' && field.node.source === 'null') return 'null'
  const expected = `an executor: ${quotedList(names)}`
  if (!field.required(expected)) return undefined
  return field.oneOf(names)
}

/** The execution, or `undefined` after reporting why not. */
export async function readExecution(
  field: Field,
  context: ExecutionContext
): Promise<ExecutionSpec | undefined> {
  const expected = "a map with 'type' and what that executor needs"
  const map = field.required(expected) ? field.map(expected) : undefined
  if (map === undefined) return undefined
  const type = readExecutorName(map.get('type'), context.allowMock)
  if (type === undefined) return undefined
  const params = await readParams(type, map, context)
  const unknown = map.unknown()
  if (type !== 'null' && type !== 'mock') map.warnUnknown(`is passed on, and ignored by the ${type} executor`)
  for (const { name, field: extra } of unknown)
    if (extra.node !== undefined) params[name] = plainValue(extra.node)
  return { type, params: defined(params) }
}

async function readParams(type: string, map: FieldMap, context: ExecutionContext): Promise<Params> {
  if (type === 'docker') return readDocker(map)
  if (type === 'wasm') return readWasm(map, context.packer)
  if (type === 'firecracker') return readFirecracker(map)
  return {}
}

function readDocker(map: FieldMap): Params {
  return {
    image: readImage(map.get('image')),
    entrypoint: readCommand(map.get('entrypoint')),
    cmd: readCommand(map.get('cmd')),
    args: readArgs(map.get('args')),
    environment: readEnvironment(map.get('environment')),
    working_directory: readWorkingDirectory(map.get('working_directory')),
    user: map.get('user').text(),
    privileged: map.get('privileged').boolean()
  }
}

async function readWasm(map: FieldMap, packer: ModulePacker): Promise<Params> {
  return {
    ...(await packer.pack(map.get('module'))),
    args: readCommand(map.get('args')),
    environment: readEnvironment(map.get('environment')),
    stdin: map.get('stdin').given ? map.get('stdin').scalar() : undefined,
    time_limit: readDurationText(map.get('time_limit'))
  }
}

function readFirecracker(map: FieldMap): Params {
  const required = (name: string): string | undefined =>
    map.get(name).required('a path on the provider')
      ? map.get(name).text('a path on the provider')
      : undefined
  return {
    kernel_image: required('kernel_image'),
    root_file_system: required('root_file_system'),
    kernel_args: map.get('kernel_args').text(),
    initrd: map.get('initrd').text(),
    mmds_message: map.get('mmds_message').given ? map.get('mmds_message').scalar() : undefined
  }
}

const HOST = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d{1,5})?$/
const PATH_PART = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/
const TAG = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/
const IMAGE = "a docker image such as 'busybox' or 'registry.example.org/team/web:1.4'"

/** True for `[host[:port]/]path[/path…][:tag]` (deployment §1.4.4). */
export function isImageName(text: string): boolean {
  if (text.length > 512) return false
  const parts = text.split('/')
  const [name = '', tag, ...rest] = (parts.pop() ?? '').split(':')
  if (rest.length > 0 || (tag !== undefined && !TAG.test(tag)) || !PATH_PART.test(name)) return false
  const [first, ...others] = parts
  if (first === undefined) return true
  return (HOST.test(first) || PATH_PART.test(first)) && others.every(part => PATH_PART.test(part))
}

function readImage(field: Field): string | undefined {
  if (!field.required(IMAGE)) return undefined
  const image = field.text(IMAGE)
  if (image === undefined || isImageName(image)) return image
  if (image.includes('@')) return field.fail(IMAGE, 'digests are not supported by the network; name a tag')
  return field.fail(IMAGE, isImageName(image.toLowerCase()) ? 'image paths are lower case' : undefined)
}

/** A list of arguments. A plain string fails far away, on the orchestrator (deployment §1.5), so it is refused here. */
function readCommand(field: Field): string[] | undefined {
  return field.scalars('a list of arguments', commandHint(field))
}

/** Seen in real files. Our docker executor puts it after `cmd`; the existing one ignores it. */
function readArgs(field: Field): string[] | undefined {
  if (field.given) {
    field.warn({
      message: "'args' is ignored by other docker executors",
      hint: "write 'cmd', which all of them know"
    })
  }
  return readCommand(field)
}

/** The same command as a list: split at spaces, or through a shell when it has shell syntax. */
function commandHint(field: Field): string | undefined {
  const text = field.node?.kind === 'scalar' ? field.node.source.trim() : ''
  if (text === '') return undefined
  const words = /[|&;<>()$`"'*?\\\n]/.test(text) ? ['sh', '-c', text] : text.split(/\s+/)
  const shown = JSON.stringify(words).replaceAll('","', '", "')
  return shown.length > 200 ? 'write it as a list, one argument an item' : `write it as ${shown}`
}

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const ENVIRONMENT = "a list of 'KEY=VALUE', or a map"

function readEnvironment(field: Field): string[] | undefined {
  if (!field.given) return undefined
  if (field.node?.kind !== 'map') return field.list(ENVIRONMENT).map(readVariable)
  const map = field.map()
  return (map?.members() ?? []).map(({ name, field: value }) => {
    if (!ENVIRONMENT_NAME.test(name)) {
      const expected = 'a variable name of letters, digits and _'
      field.problems.error(map?.keyOf(name) ?? value, { expected, message: `found '${name}'` })
    }
    return `${name}=${value.given ? value.scalar() : ''}`
  })
}

function readVariable(field: Field): string {
  const text = field.scalar("'KEY=VALUE'") ?? ''
  const cut = text.indexOf('=')
  if (text !== '' && (cut < 0 || !ENVIRONMENT_NAME.test(text.slice(0, cut)))) {
    field.fail("'KEY=VALUE' with a key of letters, digits and _")
  }
  return text
}

function readWorkingDirectory(field: Field): string | undefined {
  const path = field.text("an absolute path such as '/app'")
  return path === undefined || path.startsWith('/') ? path : field.fail("an absolute path such as '/app'")
}

/** A duration that stays text, as executors read it; they know no sign and no bare fraction. */
function readDurationText(field: Field): string | undefined {
  const ns = readDurationNs(field)
  const text = ns === undefined ? undefined : field.scalar()
  return text === undefined || /^\d/.test(text) ? text : `${ns}ns`
}

/** Nanoseconds of a Go duration, the unit of the wire (deployment §0.2). */
export function readDurationNs(field: Field): number | undefined {
  const expected = "a duration above 0 such as '30s' or '1m30s'"
  const ms = field.parsed(expected, value => parseDurationMs(String(value)))
  if (ms === undefined) return undefined
  const ns = Math.round(ms * 1e6)
  return ns > 0 && Number.isSafeInteger(ns) ? ns : field.fail(expected)
}
