/** A file reader over a map of files, and small ensembles to change one thing in. */

import assert from 'node:assert/strict'
import {
  type EnsembleProblem,
  type EnsembleV1,
  type ParsedEnsemble,
  type ParseOptions,
  parseEnsembleFile
} from '../../../../src/dms/ensemble/index.ts'
import { utf8ToBytes } from '../../../../src/utils/index.ts'

/** The smallest module there is: magic and version. */
export const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

export type Files = Readonly<Record<string, string | Uint8Array>>

export function options(files: Files = {}, more: Partial<ParseOptions> = {}): ParseOptions {
  return {
    fileName: 'ensemble.yaml',
    directory: '/work',
    env: {},
    readFile: path => {
      const content = Object.hasOwn(files, path) ? files[path] : undefined
      if (content === undefined)
        return Promise.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' }))
      return Promise.resolve(typeof content === 'string' ? utf8ToBytes(content) : content)
    },
    ...more
  }
}

/** Parses what must be good. */
export async function parsed(text: string, given: ParseOptions = options()): Promise<ParsedEnsemble> {
  const result = await parseEnsembleFile(text, given)
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.error, undefined, 1))
  return result.value
}

export async function v1Of(text: string, given?: ParseOptions): Promise<EnsembleV1> {
  return (await parsed(text, given)).ensemble.v1
}

/** The errors of what must be bad. */
export async function errorsOf(text: string, given: ParseOptions = options()): Promise<EnsembleProblem[]> {
  const result = await parseEnsembleFile(text, given)
  assert.ok(!result.ok, 'the file was accepted')
  return result.error.filter(problem => problem.severity === 'error')
}

/** The one error of a file with one mistake. */
export async function errorOf(text: string, given?: ParseOptions): Promise<EnsembleProblem> {
  const errors = await errorsOf(text, given)
  assert.equal(errors.length, 1, JSON.stringify(errors, undefined, 1))
  return errors[0] as EnsembleProblem // the length was checked
}

export const RESOURCES = '{ cpu: { cores: 1 }, ram: { size: 1 }, disk: { size: 1 } }'

/** An ensemble of one docker task; lines are put into its parts. Indentation of `allocation`, `node`: four blanks. */
export function sample(
  parts: { allocation?: string; execution?: string; node?: string; root?: string; resources?: string } = {}
): string {
  return [
    'version: V1',
    'allocations:',
    '  web:',
    '    type: task',
    '    executor: docker',
    `    resources: ${parts.resources ?? RESOURCES}`,
    `    execution: { type: docker, image: busybox${parts.execution === undefined ? '' : `, ${parts.execution}`} }`,
    ...(parts.allocation === undefined ? [] : [`    ${parts.allocation}`]),
    'nodes:',
    '  front:',
    '    allocations: [web]',
    ...(parts.node === undefined ? [] : [`    ${parts.node}`]),
    ...(parts.root === undefined ? [] : [parts.root])
  ].join('\n')
}

/** An ensemble of docker tasks by name, with extra members, on nodes by name. */
export function several(
  allocations: Record<string, string>,
  nodes: Record<string, string>,
  root = ''
): string {
  const lines = ['allocations:']
  for (const [name, extra] of Object.entries(allocations)) {
    const comma = extra === '' ? '' : `, ${extra}`
    lines.push(
      `  ${name}: { type: task, executor: docker, resources: ${RESOURCES}, execution: { type: docker, image: busybox }${comma} }`
    )
  }
  lines.push('nodes:')
  for (const [name, members] of Object.entries(nodes)) lines.push(`  ${name}: { ${members} }`)
  return `${lines.join('\n')}\n${root}`
}
