import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseImageName } from '../../../../src/executor/docker/image.ts'

const full = (text: string) => parseImageName(text)?.full

test('a name without a tag means latest, also behind a registry with a port', () => {
  assert.equal(full('busybox'), 'busybox:latest')
  assert.equal(full('registry.example.org:5000/team/app'), 'registry.example.org:5000/team/app:latest')
  assert.equal(full('localhost:5000/app'), 'localhost:5000/app:latest')
})

test('a tag or a digest is kept, and a digest wins', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  assert.equal(full('nginxdemos/hello:plain-text'), 'nginxdemos/hello:plain-text')
  assert.deepEqual(parseImageName(`registry.example.org:5000/app:1.2@${digest}`), {
    repository: 'registry.example.org:5000/app',
    reference: digest,
    full: `registry.example.org:5000/app@${digest}`
  })
})

test('what is no image name is refused, quickly however long it is', () => {
  for (const text of [
    '',
    'Not An Image',
    'UPPER',
    'a//b',
    'a..b',
    '-a',
    'a:',
    'a@sha256:1',
    '../x',
    'a/../b',
    'a\nb',
    'a?x=1',
    'a'.repeat(100_000)
  ]) {
    assert.equal(parseImageName(text), undefined, text.slice(0, 20))
  }
  assert.equal(parseImageName(`${'a-'.repeat(120)}!`), undefined)
})
