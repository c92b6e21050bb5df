import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { codesIn, errorReference } from '../../../scripts/docs/error-reference.ts'
import { sourceFiles } from '../../utils/index.ts'

describe('docs/errors.md', () => {
  const page = readFileSync('docs/errors.md', 'utf8')

  it('is current', () => {
    assert.equal(page, errorReference(), "run 'npm run docs'")
  })

  it('has the code of every error class', () => {
    for (const path of sourceFiles('src')) {
      for (const [, code] of readFileSync(path, 'utf8').matchAll(
        /readonly code(?:: string)? = '([A-Z_0-9]+)'/g
      )) {
        assert.ok(page.includes(`\`${code}\``), `'${code}' of ${path}`)
      }
    }
  })

  it('takes the meaning from the comment of a union member and from the message of a refusal', () => {
    const text =
      "/** The disk is full. */\n  | 'DB_FULL'\nreturn refusal('BID_NONE', `node '$" +
      "{node}' | cannot run`)"
    assert.deepEqual(codesIn('src/db/x.ts', text), [
      { code: 'DB_FULL', domain: 'db', meaning: 'The disk is full.' },
      { code: 'BID_NONE', domain: 'db', meaning: "“node '…' \\| cannot run”" }
    ])
  })
})
