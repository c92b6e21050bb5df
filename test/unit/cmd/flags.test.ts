import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FlagTable, nearest, parseFlags, takesNextWord } from '../../../src/cmd/cli/flags.ts'

const TABLE = {
  context: { kind: 'string', short: 'c', description: '' },
  invoke: { kind: 'bool', short: 'i', description: '' },
  force: { kind: 'bool', short: 'f', description: '' },
  cap: { kind: 'strings', description: '' },
  filter: { kind: 'pairs', description: '' },
  limit: { kind: 'int', description: '', default: '7' },
  depth: { kind: 'uint', short: 'd', description: '' },
  cpu: { kind: 'float', description: '' },
  timeout: { kind: 'duration', short: 't', description: '' },
  expiry: { kind: 'time', description: '' },
  secret: { kind: 'string', description: '', hidden: true }
} as const satisfies FlagTable

function values(...args: string[]): Record<string, unknown> {
  return Object.fromEntries(parseFlags(TABLE, args).values)
}

describe('flags', () => {
  for (const args of [
    ['--context', 'dms'],
    ['--context=dms'],
    ['-c', 'dms'],
    ['-cdms'],
    ['-c=dms'],
    ['-ifc', 'dms'],
    ['-ic=dms']
  ]) {
    it(`takes the spelling ${args.join(' ')}`, () => assert.equal(values(...args)['context'], 'dms'))
  }

  it('keeps an equals sign inside a value', () => assert.equal(values('--context=a=b')['context'], 'a=b'))
  it('takes an empty value', () => assert.equal(values('--context=')['context'], ''))
  it('takes a value that looks like a flag', () =>
    assert.equal(values('--context', '--invoke')['context'], '--invoke'))
  it('reads grouped booleans', () =>
    assert.deepEqual([values('-if')['invoke'], values('-if')['force']], [true, true]))
  it('reads a boolean with a value', () => assert.equal(values('--invoke=false')['invoke'], false))
  it('does not take the next word for a boolean', () => {
    assert.deepEqual(parseFlags(TABLE, ['--invoke', 'false']).words, ['false'])
  })
  it('mixes words and flags in any order', () => {
    assert.deepEqual(parseFlags(TABLE, ['a', '-c', 'x', 'b', '-i', '-']).words, ['a', 'b', '-'])
  })
  it('ends flags at two dashes', () => {
    assert.deepEqual(parseFlags(TABLE, ['a', '--', '-c', '--']).words, ['a', '-c', '--'])
  })
  it('collects lists over commas and repetition', () => {
    assert.deepEqual(values('--cap', '/a,/b', '--cap=/c')['cap'], ['/a', '/b', '/c'])
  })
  it('protects a comma by quotes', () => assert.deepEqual(values('--cap', '"a,b",c')['cap'], ['a,b', 'c']))
  it('collects pairs', () =>
    assert.deepEqual(values('--filter', 'a=1,b=2', '--filter', 'c=x=y')['filter'], {
      a: '1',
      b: '2',
      c: 'x=y'
    }))
  it('lets the last of a repeated flag win', () => assert.equal(values('-c', 'a', '-c', 'b')['context'], 'b'))
  it('reads numbers, durations and times', () => {
    const read = values('--limit=-3', '-d3', '--cpu', '.5', '-t', '1h30m', '--expiry', '2030-01-02')
    assert.deepEqual(
      [read['limit'], read['depth'], read['cpu'], read['timeout'], read['expiry']],
      [-3, 3, 0.5, 5_400_000, Date.UTC(2030, 0, 2)]
    )
  })
  it('fills in defaults and says what was typed', () => {
    const parsed = parseFlags(TABLE, ['-i'])
    assert.deepEqual(
      [parsed.values.get('limit'), parsed.values.get('cap'), parsed.values.has('context')],
      [7, [], false]
    )
    assert.deepEqual([...parsed.given], ['invoke'])
  })

  for (const [args, message] of [
    [['--xyz'], /^unknown flag: --xyz$/],
    [['--xyz=1'], /^unknown flag: --xyz$/],
    [['--__proto__', 'x'], /^unknown flag: --__proto__$/],
    [['--toString=x'], /^unknown flag: --toString$/],
    [['-x'], /^unknown shorthand flag: 'x' in -x$/],
    [['-ix'], /^unknown shorthand flag: 'x' in -ix$/],
    [['--context'], /^flag needs an argument: --context$/],
    [['-c'], /^flag needs an argument: 'c' in -c$/],
    [['--limit', '1.5'], /^invalid argument "1.5" for "--limit" flag: expected a whole number$/],
    [['-d', '-1'], /^invalid argument "-1" for "-d, --depth" flag/],
    [['--limit', '99999999999999999999'], /^invalid argument/],
    [['-t', '30'], /^invalid argument "30" for "-t, --timeout" flag: '30' is not a duration$/],
    [['--invoke=maybe'], /^invalid argument "maybe" for "-i, --invoke" flag/],
    [['--expiry', '2030-02-31'], /^invalid argument/],
    [['--filter', 'novalue'], /must be formatted as key=value$/]
  ] as const) {
    it(`refuses ${args.join(' ')}`, () =>
      assert.throws(() => parseFlags(TABLE, args), { code: 'CLI_USAGE', message }))
  }

  it('suggests a flag that is near, and never a hidden one', () => {
    assert.throws(() => parseFlags(TABLE, ['--contxt', 'a']), { hint: 'did you mean --context?' })
    assert.throws(() => parseFlags(TABLE, ['--secre', 'a']), { hint: undefined })
  })

  it('knows which flags take the next word', () => {
    const taken = ['--context', '-c', '--unknown', '-u', '--invoke', '-i', '--context=a', '-cdms'].map(flag =>
      takesNextWord(flag, TABLE)
    )
    assert.deepEqual(taken, [true, true, true, true, false, false, false, false])
  })

  it('finds the nearest word only when it is near', () => {
    assert.equal(nearest('delpoy', ['deploy', 'doctor']), 'deploy')
    assert.equal(nearest('zebra', ['deploy', 'doctor']), undefined)
    assert.equal(nearest('x'.repeat(100_000), ['deploy']), undefined)
  })
})
