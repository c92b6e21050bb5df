import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { describe, it } from 'node:test'
import {
  createSystemFiles,
  readNameMap,
  systemClock,
  systemRandom,
  updateNameMap,
  utf8ToBytes,
  VirtualClock
} from '../../../src/utils/index.ts'
import { temporaryDirectory } from '../../utils/index.ts'

const number = (_name: string, value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined

async function bench() {
  const directory = await temporaryDirectory()
  const clock = new VirtualClock()
  const files = createSystemFiles({ clock, random: systemRandom })
  return { directory, clock, files, path: directory.join('map.json') }
}

describe('a file of names', () => {
  it('is written for its owner only, sorted, and keeps what was there before', async () => {
    const { directory, clock, files, path } = await bench()
    await using _directory = directory
    await updateNameMap({ files, clock }, path, number, map => map.set('b', 2).set('a', 1))
    await updateNameMap({ files, clock }, path, number, map => map.delete('b'))
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(await readNameMap(files, path, number), new Map([['a', 1]]))
    const backup = `map.json.${Math.floor(clock.nowMs() / 1000)}`
    assert.deepEqual(await files.list(directory.path), ['map.json', backup])
    assert.deepEqual([...(await readNameMap(files, directory.join(backup), number)).keys()], ['a', 'b'])
    assert.equal((await stat(directory.join(backup))).mode & 0o777, 0o600)
  })

  it('is not touched when nothing changes, or the change fails', async () => {
    const { directory, clock, files, path } = await bench()
    await using _directory = directory
    await updateNameMap({ files, clock }, path, number, map => map.set('a', 1))
    await updateNameMap({ files, clock }, path, number, map => map.set('a', 1))
    const failing = updateNameMap({ files, clock }, path, number, () => {
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    assert.deepEqual(await files.list(directory.path), ['map.json'])
  })

  it('keeps five earlier versions', async () => {
    const { directory, clock, files, path } = await bench()
    await using _directory = directory
    for (let version = 0; version < 9; version++) {
      await updateNameMap({ files, clock }, path, number, map => map.set('a', version))
      await clock.advance(1000)
    }
    assert.equal((await files.list(directory.path)).length, 6)
  })

  it('loses no change of several writers', async () => {
    const { directory, path } = await bench()
    await using _directory = directory
    const files = createSystemFiles({ clock: systemClock, random: systemRandom })
    const names = Array.from({ length: 5 }, (_, index) => `n${index}`)
    await Promise.all(
      names.map(name => updateNameMap({ files, clock: systemClock }, path, number, map => map.set(name, 1)))
    )
    assert.deepEqual([...(await readNameMap(files, path, number)).keys()], names)
  })

  it('passes over what is not understood, and takes any name', async () => {
    const { directory, files, path } = await bench()
    await using _directory = directory
    await files.writeAtomic(path, utf8ToBytes('{"a":1,"b":"x","__proto__":2}'))
    assert.deepEqual(
      [...(await readNameMap(files, path, number))],
      [
        ['a', 1],
        ['__proto__', 2]
      ]
    )
    assert.deepEqual(await readNameMap(files, directory.join('none.json'), number), new Map())
  })

  for (const text of ['', '[]', '1', 'null', '{', `{"a":"${'x'.repeat(1_100_000)}"}`]) {
    it(`is named when it is damaged: ${text.slice(0, 20) || 'empty'}`, async () => {
      const { directory, clock, files, path } = await bench()
      await using _directory = directory
      await files.writeAtomic(path, utf8ToBytes(text))
      const error = { code: 'FILE_ACCESS', message: /map\.json' is damaged/ }
      await assert.rejects(readNameMap(files, path, number), error)
      await assert.rejects(
        updateNameMap({ files, clock }, path, number, map => map.set('a', 1)),
        error
      )
    })
  }
})
