/**
 * Each rule of the specification by name: what breaks it, and the code of the refusal. `docs/verification.md` is the
 * same list for people; the last tests hold the two together, and both to the codes that the sources can give.
 */

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { SOURCE_ROOT } from '../../../utils/index.ts'
import { nameRules, seedRules, verificationRules } from './chain-rules.ts'
import { anchorRules, authorisationRules, revocationRules } from './context-rules.ts'
import { capabilityFileRules, keyFileRules } from './file-rules.ts'
import { issuingRules } from './issuing-rules.ts'
import { messageRules } from './message-rules.ts'
import type { Rule } from './rule.ts'
import { signatureRules } from './signature-rules.ts'
import { textRules } from './text-rules.ts'

const TABLES: Readonly<Record<string, readonly Rule[]>> = {
  'The eight rules of the documentation': seedRules,
  'Verification of a chain': verificationRules,
  Names: nameRules,
  'Text of tokens': textRules,
  'Signatures and keys': signatureRules,
  'What a token authorises': authorisationRules,
  Revocation: revocationRules,
  'Anchors and admission': anchorRules,
  'Tokens of a message': messageRules,
  'Making tokens': issuingRules,
  'Key files': keyFileRules,
  'Capability files': capabilityFileRules
}
const rules = Object.values(TABLES).flat()
const page = readFileSync(`${SOURCE_ROOT}/docs/verification.md`, 'utf8')

for (const [title, table] of Object.entries(TABLES)) {
  describe(title, () => {
    for (const rule of table) {
      test(`${rule.source}: ${rule.says}`, async () => {
        const outcome = await rule.provoke()
        assert.ok(outcome.includes(rule.code), `expected ${rule.code}, got ${outcome.join(' ')}`)
        if (rule.code !== 'ok') assert.ok(!outcome.includes('ok'), outcome.join(' '))
      })
    }
  })
}

/** The row of a rule in the document. */
function rowOf({ source, says, code }: Rule): string {
  const verdict = code === 'ok' ? 'accepted' : code === 'no' ? 'refused' : `\`${code}\``
  return `| ${source} | ${says.replaceAll('|', '\\|')} | ${verdict} |`
}

describe('the list of rules', () => {
  test('has each rule once', () => {
    const names = rules.map(rule => `${rule.source}: ${rule.says}`)
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      []
    )
  })

  test('provokes every code that the capability layer can give', () => {
    const given = new Set<string>()
    for (const file of globSync(`${SOURCE_ROOT}/src/lib/ucan/*.ts`)) {
      const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
      for (const [, name = ''] of code.matchAll(/'(UCAN_[A-Z_]*[A-Z])'/g)) given.add(name)
    }
    const provoked = new Set(rules.map(rule => rule.code))
    assert.ok(given.size > 30)
    assert.deepEqual([...given].filter(code => !provoked.has(code)).toSorted(), [])
  })

  test('names every section of the specification that has rules', () => {
    const sections = ['seed 1', 'seed 2', 'seed 3', 'seed 4', 'seed 5', 'seed 6', 'seed 7', 'seed 8']
    sections.push(...Array.from({ length: 12 }, (_, step) => `§6.1.${step + 1}`))
    sections.push('§5.1', '§5.2', '§6.2', '§6.3', '§6.4', '§6.5')
    sections.push('§7.1', '§7.2', '§7.3', '§7.4', '§7.5', '§7.6', '§7.7', '§7.8', '§7.9')
    sections.push('§0.3.2', '§0.3.3', '§0.3.5', '§0.3.6', '§0.3.7')
    sections.push(...Array.from({ length: 8 }, (_, step) => `§3.3.${step + 1}`))
    const named = new Set(rules.map(rule => rule.source))
    assert.deepEqual(
      sections.filter(section => !named.has(section)),
      []
    )
  })
})

describe('docs/verification.md', () => {
  const section = (title: string): string[] => {
    const [, after = ''] = page.split(`\n### ${title}\n`)
    return (after.split('\n#')[0] ?? '').split('\n').filter(line => /^\| (seed|§)/.test(line))
  }
  for (const [title, table] of Object.entries(TABLES)) {
    test(`lists the rules of '${title}', each with its verdict`, () => {
      assert.deepEqual(section(title), table.map(rowOf), `paste:\n${table.map(rowOf).join('\n')}`)
    })
  }

  test('cites tests that exist', () => {
    const cited = [...page.matchAll(/`(test\/[\w/.-]+\.ts)`(?: "([^"]+)")?/g)]
    assert.ok(cited.length > 3)
    for (const [, file = '', name] of cited) {
      const text = readFileSync(`${SOURCE_ROOT}/${file}`, 'utf8')
      if (name !== undefined) assert.ok(text.includes(name), `${file} has no test "${name}"`)
    }
  })
})
