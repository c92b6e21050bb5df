/**
 * Named resource templates (deployment §1.5): `resources: small`, or a map with `name: small` whose other members
 * win over those of the template. Merging makes copies; the existing system writes into the template, so that one
 * allocation's changes leak into the next.
 */

import { Field, type FieldMap, quotedList } from './field.ts'
import { suggest } from './suggest.ts'
import type { Entry, MapNode, SourceNode } from './tree.ts'

/** The templates of the file, by name. */
export function readTemplates(root: FieldMap): ReadonlyMap<string, MapNode> {
  const templates = new Map<string, MapNode>()
  for (const { name, field } of root.get('resources').map('a map of named resources')?.members() ?? []) {
    if (field.node?.kind === 'map') templates.set(name, field.node)
    else field.fail("resources such as '{ cpu: { cores: 1 }, ram: { size: 1 GiB }, disk: { size: 1 GiB } }'")
  }
  return templates
}

/** The field with its template put in, or `undefined` after reporting a template that does not exist. */
export function applyTemplate(field: Field, templates: ReadonlyMap<string, MapNode>): Field | undefined {
  const { node } = field
  if (node?.kind === 'scalar') {
    const name = field.text('resources, or the name of a template')
    const template = name === undefined ? undefined : find(name, field, templates)
    return template && new Field(template, field, field.problems)
  }
  const named = node?.kind === 'map' ? node.entries.get('name') : undefined
  if (node?.kind !== 'map' || named === undefined) return field
  const place = new Field(named.value, { span: named.value.span, path: `${field.path}.name` }, field.problems)
  const name = place.text('the name of a template')
  const template = name === undefined ? undefined : find(name, place, templates)
  if (template === undefined) return undefined
  const own: MapNode = { ...node, entries: new Map([...node.entries].filter(([key]) => key !== 'name')) }
  return new Field(merge(template, own), field, field.problems)
}

function find(name: string, field: Field, templates: ReadonlyMap<string, MapNode>): MapNode | undefined {
  const template = templates.get(name)
  if (template !== undefined) return template
  const known = [...templates.keys()]
  if (known.length === 0)
    return field.fail('resources', "the file has no top-level 'resources' to take templates from")
  const near = suggest(name, known)
  return field.fail(
    `the name of a template: ${quotedList(known.slice(0, 10))}`,
    near === undefined ? undefined : `did you mean '${near}'?`
  )
}

/** Maps are merged member by member; anything else in `over` takes the place of what is in `base`. */
function merge(base: SourceNode, over: SourceNode): SourceNode {
  if (base.kind !== 'map' || over.kind !== 'map') return over
  const entries = new Map<string, Entry>(base.entries)
  for (const [key, entry] of over.entries) {
    const below = base.entries.get(key)
    entries.set(key, below === undefined ? entry : { ...entry, value: merge(below.value, entry.value) })
  }
  return { ...over, entries }
}
