/** Help texts from the declarations. */

import { type Command, type CommandGroup, isGroup } from './command.ts'
import type { FlagSpec, FlagTable } from './flags.ts'

const EXIT_CODES =
  '0 done, 1 failed, 2 wrong command line, 3 refused by capability, 4 timed out, 5 partly done'

/** Help of a command or group, for standard output. */
export function helpText(
  node: Command | CommandGroup,
  path: readonly string[],
  inherited: FlagTable
): string {
  const globals = Object.fromEntries(
    Object.entries(inherited).filter(([name]) => isGroup(node) || !(name in node.flags))
  )
  const sections = isGroup(node) ? groupSections(node, path) : commandSections(node, path)
  sections.push(section(isGroup(node) ? 'Flags of all commands' : 'Inherited flags', flagLines(globals)))
  if (isGroup(node)) sections.push(`Use "${path.join(' ')} <command> --help" for more about a command.`)
  return `${sections.filter(text => text !== '').join('\n\n')}\n`
}

function groupSections(group: CommandGroup, path: readonly string[]): string[] {
  const children = group.children.filter(child => !child.hidden)
  return [
    group.description ?? sentence(group.summary),
    section('Usage', [`  ${path.join(' ')} <command> [flags]`]),
    section('Commands', columns(children.map(child => [child.name, child.summary]))),
    section(
      'Examples',
      (group.examples ?? []).map(line => `  ${line}`)
    )
  ]
}

function commandSections(node: Command, path: readonly string[]): string[] {
  const words = (node.words ?? []).map(word => ` ${word}`).join('')
  return [
    node.description ?? sentence(node.summary),
    section('Usage', [`  ${path.join(' ')}${words} [flags]`]),
    section(
      'Examples',
      node.examples.map(line => `  ${line}`)
    ),
    section(
      'Flags',
      flagLines({ ...node.flags, help: { kind: 'bool', short: 'h', description: 'show this help' } })
    ),
    section('Exit codes', [`  ${node.exitCodes === 'human' ? EXIT_CODES : '0 done, 1 failed'}`])
  ]
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}:\n${lines.join('\n')}`
}

function flagLines(table: FlagTable): string[] {
  return columns(
    Object.entries(table).flatMap(([name, spec]) =>
      spec.hidden ? [] : [[flagHead(name, spec), flagTail(spec)]]
    )
  )
}

function flagHead(name: string, spec: FlagSpec): string {
  const value = spec.kind === 'bool' ? '' : ` ${spec.kind}`
  return `${spec.short === undefined ? '    ' : `-${spec.short}, `}--${name}${value}`
}

function flagTail(spec: FlagSpec): string {
  const facts = spec.required
    ? ' (required)'
    : spec.default !== undefined && spec.default !== ''
      ? ` (default ${spec.default})`
      : ''
  return spec.description + facts
}

/** Two columns, the second aligned. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(0, ...rows.map(row => row[0]?.length ?? 0))
  return rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`.trimEnd())
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}
