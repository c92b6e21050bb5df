import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Command,
  type CommandGroup,
  type CommandNode,
  command,
  isGroup,
  openNode
} from '../../../src/cmd/cli/command.ts'
import { dispatch } from '../../../src/cmd/cli/dispatch.ts'
import type { FlagTable } from '../../../src/cmd/cli/flags.ts'
import { GLOBAL_FLAGS } from '../../../src/cmd/cli/global-flags.ts'
import { locate } from '../../../src/cmd/cli/locate.ts'
import { commands } from '../../../src/cmd/commands.ts'
import { root } from '../../../src/cmd/root.ts'
import { GLOBAL_FLAGS as CONFIG_FLAGS } from '../../../src/config/index.ts'
import { Home } from './harness.ts'

async function mistake(
  ...argv: string[]
): Promise<{ message: string; hint: string | undefined; exitCodes: string }> {
  const plan = await dispatch(root, argv)
  assert.equal(plan.type, 'mistake')
  return plan.type === 'mistake'
    ? { message: plan.error.message, hint: plan.error.hint, exitCodes: plan.exitCodes }
    : assert.fail()
}

async function allCommands(
  node: CommandNode,
  path: readonly string[]
): Promise<{ node: Command | CommandGroup; path: readonly string[] }[]> {
  const opened = await openNode(node)
  const children = isGroup(opened) ? opened.children : []
  const inner = await Promise.all(children.map(child => allCommands(child, [...path, child.name])))
  return [{ node: opened, path }, ...inner.flat()]
}

describe('finding a command', () => {
  for (const [argv, path, rest] of [
    [['-c', 'dms', 'actor', 'cmd', '/public/hello'], 'nunet actor cmd /public/hello', ['-c', 'dms']],
    [
      ['actor', 'cmd', '--timeout', '180s', '/public/hello', '--id', '1'],
      'nunet actor cmd /public/hello',
      ['--timeout', '180s', '--id', '1']
    ],
    [['-c', 'dms', 'cap', 'remove', '--root', 'cap'], 'nunet cap remove', ['-c', 'dms', '--root', 'cap']],
    [['--debug', 'key', 'new', 'x'], 'nunet key new', ['--debug', 'x']],
    [['--config=x', 'key', 'did', 'key'], 'nunet key did', ['--config=x', 'key']],
    [['--unknown', 'key', 'cap', 'list'], 'nunet cap list', ['--unknown', 'key']],
    [['key', '--', 'new'], 'nunet key', ['--', 'new']]
  ] as const) {
    it(`reads ${argv.join(' ')}`, async () => {
      const located = await locate(root, argv)
      assert.deepEqual([located.path.join(' '), located.rest], [path, rest])
    })
  }

  it('says the existing words for an unknown command, with what was probably meant', async () => {
    assert.deepEqual(await mistake('kez'), {
      message: 'unknown command "kez" for "nunet"',
      hint: "did you mean 'nunet key'?",
      exitCodes: 'compatible'
    })
  })

  it('is not fooled by names of object members', async () => {
    assert.match((await mistake('constructor')).message, /unknown command "constructor"/)
  })

  it('prints the help of actor cmd for an unknown behaviour and succeeds, as the existing command does', async () => {
    const plan = await dispatch(root, ['actor', 'cmd', '/no/such'])
    assert.ok(plan.type === 'help' && plan.text.includes('/public/hello'))
    assert.match((await mistake('actor', 'cmd', '/no/such', '--foo', 'x')).message, /^unknown flag: --foo$/)
  })

  it('refuses what is missing or too much in the existing words', async () => {
    assert.equal((await mistake('key', 'new')).message, 'accepts 1 arg(s), received 0')
    assert.equal((await mistake('config', 'get', 'a', 'b')).message, 'accepts at most 1 arg(s), received 2')
    assert.equal((await mistake('stop')).message, 'requires at least 1 arg(s), only received 0')
    assert.equal(
      (await mistake('actor', 'cmd', '/dms/node/deployment/status')).message,
      'required flag(s) "id" not set'
    )
    assert.equal(
      (await mistake('actor', 'cmd', '/dms/node/deployment/logs')).message,
      'required flag(s) "id", "allocation" not set'
    )
    assert.match(
      (await mistake('cap', 'anchor')).message,
      /^at least one of the flags in the group \[root require provide revoke\] is required$/
    )
    assert.match(
      (await mistake('actor', 'cmd', '/public/hello', '-t', '1s', '-e', '2030-01-01')).message,
      /^if any flags in the group \[expiry timeout\] are set none of the others can be; \[expiry timeout\] were all set$/
    )
  })

  it('tells mistakes of human commands apart from those of compatible ones', async () => {
    assert.equal((await mistake('deploy', '--foo')).exitCodes, 'human')
    assert.equal((await mistake('key', 'new', '--foo')).exitCodes, 'compatible')
    await using home = await Home.create()
    assert.equal((await home.run(['deploy', '--foo'])).code, 2)
    assert.equal((await home.run(['key', 'new', '--foo'])).code, 1)
  })

  it('hands over only the global flags that were typed', async () => {
    let seen: ReadonlyMap<string, unknown> = new Map()
    const leaf = command({
      name: 'leaf',
      summary: 'x',
      flags: {},
      examples: ['x'],
      exitCodes: 'human',
      handler: {
        run: async ({ globals }) => {
          seen = globals
          return 5
        }
      }
    })
    const plan = await dispatch({ name: 'n', summary: 'x', persistent: GLOBAL_FLAGS, children: [leaf] }, [
      '--rest-port',
      '1',
      'leaf'
    ])
    const { cli } = { cli: {} as Parameters<Extract<typeof plan, { type: 'run' }>['run']>[0] } // the handler above uses nothing of it
    assert.ok(plan.type === 'run')
    assert.equal(await plan.run(cli), 5)
    assert.deepEqual([...seen], [['rest-port', 1]])
  })
})

describe('the tree of commands', () => {
  it('names in the root what it holds, with the same summaries', async () => {
    assert.deepEqual(root.children.map(child => child.name).sort(), Object.keys(commands).sort())
    for (const child of root.children) {
      const opened = await openNode(child)
      assert.deepEqual(
        [child.name, child.summary, child.hidden],
        [opened.name, opened.summary, opened.hidden]
      )
    }
  })

  it('gives every command a summary, an example that names it, and help that shows both', async () => {
    for (const { node, path } of await allCommands(root, ['nunet'])) {
      assert.match(node.summary, /^\S.{5,80}[^.]$/, path.join(' '))
      const plan = await dispatch(root, [...path.slice(1), '--help'])
      assert.equal(plan.type, 'help', path.join(' '))
      if (isGroup(node)) continue
      assert.ok(
        node.examples.some(
          example => example.includes(`nunet ${path.slice(1).join(' ')}`) || example.includes(node.name)
        ),
        path.join(' ')
      )
      assert.ok(plan.type === 'help' && plan.text.includes('Exit codes:'), path.join(' '))
    }
  })

  it('takes each behaviour with the flags of its message before and after it', async () => {
    const cmd = commands.actor.children.find(child => child.name === 'cmd')
    assert.ok(cmd !== undefined && isGroup(cmd))
    for (const child of cmd.children) {
      const plan = await dispatch(root, ['actor', '-c', 'dms', 'cmd', child.name, '--dest', 'x', '--help'])
      assert.equal(plan.type, 'help', child.name)
    }
  })

  it('uses no short flag twice in one command', async () => {
    for (const { node, path } of await allCommands(root, ['nunet'])) {
      if (isGroup(node)) continue
      const table: FlagTable = { ...GLOBAL_FLAGS, ...node.flags }
      const shorts = Object.values(table).flatMap(flag => flag.short ?? [])
      assert.equal(new Set(shorts).size, shorts.length, path.join(' '))
    }
  })

  it('has a global flag for each one the configuration knows', () => {
    const missing = CONFIG_FLAGS.filter(flag => !(flag.name in GLOBAL_FLAGS)).map(flag => flag.name)
    assert.deepEqual(missing, [])
  })
})
