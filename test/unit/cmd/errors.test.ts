import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ApiTimeoutError, ApiUnreachableError } from '../../../src/api/client/index.ts'
import {
  BrokenPipeError,
  CommandError,
  exitCodeOf,
  InterruptedError,
  NoAnswerError,
  RefusedError,
  UsageError
} from '../../../src/cmd/cli/errors.ts'
import { describeError } from '../../../src/cmd/cli/run.ts'
import { TimeLimitError } from '../../../src/utils/index.ts'

const refused = new RefusedError(
  'no',
  { code: 'A', message: 'a\u001b[2J', causes: [{ code: 'B', message: 'b' }] },
  'ask'
)

describe('exit codes', () => {
  for (const [error, human] of [
    [new UsageError('x'), 2],
    [refused, 3],
    [new ApiTimeoutError('x'), 4],
    [new TimeLimitError('x'), 4],
    [new NoAnswerError('x'), 4],
    [new ApiUnreachableError('x'), 1],
    [new CommandError('x'), 1],
    [new TypeError('x'), 1],
    ['text', 1]
  ] as const) {
    it(`${error instanceof Error ? error.name : error}: ${human}, and 1 for compatible commands`, () => {
      assert.deepEqual([exitCodeOf(error, 'human'), exitCodeOf(error, 'compatible')], [human, 1])
    })
  }
  it('follow the shell for signals, and a reader that left is no failure', () => {
    assert.deepEqual(
      [new InterruptedError('SIGINT'), new InterruptedError('SIGTERM'), new BrokenPipeError('x')].map(error =>
        exitCodeOf(error, 'human')
      ),
      [130, 143, 0]
    )
  })
})

describe('errors as printed', () => {
  it('are one line, the tree of reasons, and a hint', () => {
    assert.match(describeError(refused, false), /^Error: no\na.*2J \(A\)\n└─ b \(B\)\nhint: ask\n$/)
    assert.ok(!describeError(refused, false).includes('\u001b'), 'nothing commands the terminal')
  })
  it('stay on one line whatever their text', () =>
    assert.equal(describeError(new CommandError('a\nb\u0007'), false), 'Error: a; b\\x07\n'))
  it('show no stack, unless asked to', () => {
    assert.match(
      describeError(new TypeError('x is undefined'), false),
      /^Error: x is undefined\nhint: this is a fault of the program/
    )
    assert.match(describeError(new TypeError('x is undefined'), true), /\n {4}at /)
  })
})
