import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  CapabilityError,
  contextToFile,
  createCapabilityStore,
  emptyCapabilityFile,
  formatCapabilityFile,
  formatToken,
  parseCapabilityFile
} from '../../../../src/lib/ucan/index.ts'
import {
  createSystemFiles,
  MemoryFiles,
  SeededRandom,
  systemClock,
  VirtualClock
} from '../../../../src/utils/index.ts'
import { HOUR_NS, identity, NOW_NS, party, token } from '../parties.ts'

const random = new SeededRandom('capability files')
const [alice, bob] = [identity('alice'), identity('bob')]
const given = token(bob, { subject: alice.did, expiresAtNs: NOW_NS + HOUR_NS + 1n })
const required = token(alice, { subject: bob.did })
const revoked = token(bob, { subject: bob.did, action: 'revoke' })
const full = {
  did: alice.did,
  roots: [bob.did],
  require: [required],
  provide: [given],
  revoke: [revoked],
  setAside: []
}

describe('capability file', () => {
  test('an empty one has exactly the specified text', () => {
    const text = formatCapabilityFile(emptyCapabilityFile(alice.did))
    assert.equal(text, `{"did":{"uri":"${alice.did}"},"roots":[],"require":{},"provide":{},"revoke":{}}\n`)
  })

  test('a full one has its members in order and exact expiries', () => {
    assert.equal(
      formatCapabilityFile(full),
      `{"did":{"uri":"${alice.did}"},"roots":[{"uri":"${bob.did}"}],"require":{"tok":[${formatToken(required)}]},` +
        `"provide":{"tok":[${formatToken(given)}]},"revoke":{"tok":[${formatToken(revoked)}]}}\n`
    )
    assert.ok(formatCapabilityFile(full).includes(`"exp":${NOW_NS + HOUR_NS + 1n}`))
  })

  test('what is written is read back', () => {
    assert.equal(
      formatCapabilityFile(parseCapabilityFile(formatCapabilityFile(full))),
      formatCapabilityFile(full)
    )
  })

  test('capitalised member names of older files are read; missing lists are empty', () => {
    const text = formatCapabilityFile(full)
    const old = text
      .replace('"did"', '"DID"')
      .replace('"roots"', '"Roots"')
      .replace('"require"', '"Require"')
      .replace('"provide"', '"Provide"')
    assert.deepEqual(parseCapabilityFile(old), parseCapabilityFile(text))
    const bare = parseCapabilityFile(`{"DID":{"uri":"${alice.did}"},"Roots":null,"Require":{"tok":null}}`)
    assert.deepEqual(bare, emptyCapabilityFile(alice.did))
  })

  test('bad entries are set aside with their reason, kept in the file, and tried again', () => {
    const bad = '{"dms":{"act":"delegate","exp":1e3,"x":[true,null,-1,0.5,"\\u003c"]}}'
    const text = formatCapabilityFile(full)
      .replace('"tok":[', `"tok":[${bad},`)
      .replace('"roots":[', '"roots":[{"uri":"nobody"},{},')
    const file = parseCapabilityFile(text)
    assert.deepEqual(
      file.setAside.map(entry => [entry.list, entry.reason.code]),
      [
        ['roots', 'UCAN_MALFORMED'],
        ['roots', 'UCAN_MALFORMED'],
        ['require', 'UCAN_MALFORMED']
      ]
    )
    assert.deepEqual([file.require.length, file.provide.length, file.roots.length], [1, 1, 1])
    const again = parseCapabilityFile(formatCapabilityFile(file))
    assert.deepEqual(again, file)
    assert.ok(formatCapabilityFile(file).startsWith(formatCapabilityFile(full).trimEnd().slice(0, -1)))
    const mended = {
      ...file,
      setAside: [
        { list: 'provide' as const, text: formatToken(required), reason: { code: 'X', message: 'x' } }
      ]
    }
    const retried = parseCapabilityFile(formatCapabilityFile(mended))
    assert.deepEqual([retried.provide.length, retried.setAside], [2, []])
  })

  test('of the member aside only texts for a known list count; a text that is no JSON stays aside', () => {
    const text = formatCapabilityFile(full).trimEnd().slice(0, -1)
    const entries = '"x",{"list":"others","text":"{}"},{"list":"roots","text":7},{"list":"roots","text":"{"}'
    const { setAside } = parseCapabilityFile(`${text},"aside":[${entries}]}`)
    assert.deepEqual(
      setAside.map(({ list, text: kept, reason }) => [list, kept, reason.code]),
      [['roots', '{', 'UCAN_MALFORMED']]
    )
    assert.deepEqual(parseCapabilityFile(`${text},"aside":{}}`).setAside, [])
  })

  test('a mistake of the caller is not called damage', () => {
    const nothing: string = JSON.parse('null') // as a caller without types might
    assert.throws(() => parseCapabilityFile(nothing), TypeError)
  })

  test('what is not a capability file at all is an error that says where to look', () => {
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '{}',
      '{"did":{}}',
      '{"did":"x"}',
      `{"did":{"uri":"${alice.did}"},"roots":{}}`,
      `{"did":{"uri":"${alice.did}"},"require":[]}`,
      '['.repeat(100_000)
    ]) {
      assert.throws(
        () => parseCapabilityFile(text),
        (error: unknown) =>
          error instanceof CapabilityError && error.code === 'UCAN_FILE_CORRUPT' && error.hint !== undefined,
        text.slice(0, 60)
      )
    }
  })
})

describe('a context from a file', () => {
  test('takes in what verifies; the rest is reported, and what may get better is kept', () => {
    const forged = { ...token(bob, { subject: alice.did }), signature: new Uint8Array(64) }
    const expired = token(bob, { subject: alice.did, expiresAtNs: NOW_NS - 1n })
    const gone = token(bob, { subject: bob.did, nonce: revoked.nonce })
    const { context, problems, setAside } = party('alice', new VirtualClock(), {
      ...full,
      require: [required, forged, gone],
      provide: [expired, given]
    })
    assert.deepEqual(
      problems.map(problem => problem.code),
      ['UCAN_SIGNATURE', 'UCAN_REVOKED', 'UCAN_EXPIRED']
    )
    assert.deepEqual(
      setAside.map(entry => [entry.list, entry.text]),
      [['require', formatToken(forged)]]
    )
    assert.deepEqual(
      [
        context.anchors.roots,
        context.anchors.require.length,
        context.anchors.provide.length,
        context.anchors.revoke.length
      ],
      [[bob.did], 1, 1, 1]
    )
    const file = contextToFile(context, setAside)
    assert.deepEqual(file, { ...full, setAside })
  })

  test('of another owner is refused', () => {
    assert.throws(() => party('bob', new VirtualClock(), full), { code: 'UCAN_WRONG_OWNER' })
  })
})

describe('capability store', () => {
  test('writes with mode 0600 and keeps the five newest backups', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nunet-caps-'))
    try {
      const files = createSystemFiles({ clock: systemClock, random: new SeededRandom('files') })
      const clock = new VirtualClock()
      const store = createCapabilityStore({ files, clock, random }, { directory: join(directory, 'cap') })
      for (let round = 0; round < 8; round++) {
        await store.save('dms', { ...full, roots: round % 2 === 0 ? [bob.did] : [] })
        await clock.advance(1000)
      }
      const names = await readdir(join(directory, 'cap'))
      assert.equal(names.filter(name => /^dms\.cap\.\d+$/.test(name)).length, 5)
      assert.equal(names.length, 6)
      assert.ok(names.includes(`dms.cap.${VIRTUAL_SECONDS + 7}`))
      for (const name of names) assert.equal((await stat(join(directory, 'cap', name))).mode & 0o777, 0o600)
      assert.equal(
        readFileSync(join(directory, 'cap', 'dms.cap'), 'utf8'),
        formatCapabilityFile({ ...full, roots: [] })
      )
      assert.deepEqual(await store.list(), ['dms'])
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  const VIRTUAL_SECONDS = new VirtualClock().nowMs() / 1000

  test('an unchanged file is not written again', async () => {
    const files = new MemoryFiles()
    const store = createCapabilityStore({ files, clock: new VirtualClock(), random }, { directory: '/cap' })
    await store.save('a', full)
    await store.save('a', full)
    assert.deepEqual(await files.list('/cap'), ['a.cap'])
  })

  test('updates of several writers are all kept', async () => {
    const store = createCapabilityStore(
      { files: new MemoryFiles(), clock: new VirtualClock(), random },
      { directory: '/cap' }
    )
    await store.save('a', emptyCapabilityFile(alice.did))
    const dids = Array.from({ length: 20 }, (_, index) => identity(`root ${index}`).did)
    await Promise.all(
      dids.map(did => store.update('a', async file => ({ ...file, roots: [...file.roots, did] })))
    )
    assert.deepEqual((await store.load('a'))?.roots.toSorted(), dids.toSorted())
  })

  test('a failing change leaves the file and frees the lock', async () => {
    const store = createCapabilityStore(
      { files: new MemoryFiles(), clock: new VirtualClock(), random },
      { directory: '/cap' }
    )
    await store.save('a', full)
    await assert.rejects(
      store.update('a', () => Promise.reject(new Error('no'))),
      /no/
    )
    assert.deepEqual((await store.update('a', file => file)).roots, [bob.did])
  })

  test('what is missing is undefined, or an error when it was to be changed', async () => {
    const store = createCapabilityStore(
      { files: new MemoryFiles(), clock: new VirtualClock(), random },
      { directory: '/cap' }
    )
    assert.equal(await store.load('a'), undefined)
    assert.equal(await store.exists('a'), false)
    await assert.rejects(
      store.update('a', file => file),
      { code: 'UCAN_FILE_MISSING' }
    )
    await assert.rejects(store.load('../a'), /not a valid name/)
  })

  test('a file that is not text is damage', async () => {
    const files = new MemoryFiles()
    await files.writeAtomic('/cap/a.cap', Uint8Array.of(0xff))
    const store = createCapabilityStore({ files, clock: new VirtualClock(), random }, { directory: '/cap' })
    await assert.rejects(store.load('a'), { code: 'UCAN_FILE_CORRUPT' })
    assert.equal(await store.exists('a'), true)
  })
})
