import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { openApiDocument, ROUTES } from '../../../src/api/index.ts'
import { commandReference } from '../../../src/cmd/cli/reference.ts'
import { commandTree } from '../../../src/cmd/index.ts'

const docs = new URL('../../../docs/', import.meta.url)

function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === '$ref' ? [String(inner)] : references(inner)
  )
}

describe('generated pages', () => {
  it('docs/openapi.json is current', async () => {
    assert.deepEqual(
      JSON.parse(await readFile(new URL('openapi.json', docs), 'utf8')),
      openApiDocument(ROUTES)
    )
  })
  it('docs/cli.md is current', async () => {
    assert.equal(
      await readFile(new URL('cli.md', docs), 'utf8'),
      await commandReference(commandTree),
      "run 'npm run docs'"
    )
  })
})

describe('the OpenAPI document', () => {
  it('names each operation once and refers to schemas that exist', () => {
    const document = openApiDocument(ROUTES)
    assert.equal(new Set(ROUTES.map(route => route.id)).size, ROUTES.length)
    const { schemas } = document['components'] as { schemas: Record<string, unknown> } // made a line above
    for (const reference of references(document))
      assert.ok(reference.replace('#/components/schemas/', '') in schemas, reference)
  })
})
