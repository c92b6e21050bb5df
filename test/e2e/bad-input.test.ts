/**
 * What goes wrong at a person's machine: each time one line that says what, one that says what to do, exit code 1,
 * no stack trace, and nothing half-written.
 */

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { CLI, EXAMPLES, Lab, type LabNode, NODE_BINARY } from '../../scripts/lab/lab.ts'
import { assertFailedPlainly, assertPlain, until } from './support.ts'

const ROOT = dirname(EXAMPLES)

/** A command that has no daemon must say so at once; the derivation of the key takes most of this. */
const AT_ONCE_MS = 3000

const RUN = ['run', '-c', 'dms']

async function listen(port: number): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve())
  )
  return server
}

/** Every file below a directory, with its content. */
async function snapshot(directory: string): Promise<Map<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(paths.sort().map(async path => [path, await readFile(path, 'latin1')] as const))
  )
}

describe('bad input', () => {
  const lab = new Lab()
  let node: LabNode

  before(async () => {
    node = await lab.createNode('alone')
    await node.createIdentities()
  })
  after(() => lab[Symbol.asyncDispose]())

  /** Runs with another content of one file, which is then as before, and must not have been written to. */
  async function withFile(
    path: string,
    content: string | Uint8Array,
    work: () => Promise<void>
  ): Promise<void> {
    const original = await readFile(path).catch(() => undefined)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    try {
      await work()
      assert.deepEqual(await readFile(path), Buffer.from(content), `'${path}' was written to`)
    } finally {
      if (original === undefined) await rm(path)
      else await writeFile(path, original)
    }
  }

  describe('without a daemon', () => {
    const hello = join(EXAMPLES, 'hello-task.yaml')
    const COMMANDS: readonly (readonly string[])[] = [
      ['actor', 'cmd', '-c', 'user', '/public/hello'],
      ['actor', 'cmd', '-c', 'user', '/broadcast/hello'],
      ['actor', 'cmd', '-c', 'user', '/dms/node/deployment/new', '-f', hello],
      ['actor', 'msg', '-c', 'user', '/public/hello', '{}'],
      ['deploy', hello],
      ['ps'],
      ['logs', '-f', 'abc'],
      ['stop', 'abc']
    ]
    for (const command of COMMANDS) {
      it(`'nunet ${command.map(word => word.replace(ROOT, '.')).join(' ')}' fails at once and says how to start one`, async () => {
        const result = await node.try(command)
        assertFailedPlainly(
          result,
          new RegExp(`127\\.0\\.0\\.1:${node.restPort}: connect: connection refused`)
        )
        assert.match(result.stderr, /nunet run/)
        assert.ok(result.ms < AT_ONCE_MS, `it took ${Math.round(result.ms)} ms`)
      })
    }

    it('a silent port does not hang a command', async () => {
      const held = await listen(node.restPort)
      try {
        const result = await node.try(['actor', 'cmd', '-c', 'user', '-t', '2s', '/public/hello'], {
          timeoutMs: 60_000
        })
        assertFailedPlainly(result, /request deadline exceeded/)
      } finally {
        held.close()
      }
    })
  })

  describe('on the command line', () => {
    const MISTAKES: readonly (readonly [readonly string[], RegExp, RegExp, number])[] = [
      [['depoly', 'x.yaml'], /unknown command "depoly" for "nunet"/, /did you mean 'nunet deploy'/, 1],
      [['frobnicate'], /unknown command "frobnicate"/, /nunet --help/, 1],
      [['key', 'nwe'], /unknown command "nwe" for "nunet key"/, /did you mean 'nunet key new'/, 1],
      [['key', 'new', '--frob'], /unknown flag: --frob/, /nunet key new --help/, 1],
      [['actor', 'cmd', '/public/hello', '--tiemout', '3s'], /unknown flag: --tiemout/, /--timeout/, 1],
      [['deploy'], /accepts 1 arg\(s\), received 0/, /nunet deploy --help/, 2],
      [['deploy', 'x.yaml', '--timeout', '1s'], /at least 1m/, /hint/, 2],
      [
        ['cap', 'anchor', '-c', 'dms', '--root', 'did:key:nonsense'],
        /'did:key:nonsense' is not a DID/,
        /nunet key did/,
        1
      ],
      [['key', 'did', '../../etc/passwd'], /name/, /Error/, 1]
    ]
    for (const [words, message, hint, code] of MISTAKES) {
      it(`'nunet ${words.join(' ')}' is told in a line`, async () => {
        const result = await node.try(words)
        assertFailedPlainly(result, message, code)
        assert.match(result.stderr, hint)
      })
    }

    it('a token that was cut off is told, and nothing is anchored', async () => {
      const before = await snapshot(join(node.directory, 'user', 'cap'))
      const result = await node.try(['cap', 'anchor', '-c', 'dms', '--provide', '{"tok":[{"dms":'])
      assert.equal(result.code, 1)
      assert.match(result.stderr, /^Error: not a token or token list\n.*UCAN_MALFORMED.*\nhint: /)
      assert.deepEqual(await snapshot(join(node.directory, 'user', 'cap')), before)
    })

    it('a reader that goes away ends the output, not with an error', async () => {
      for (const words of [['--help'], ['actor', 'cmd', '--help'], ['cap', 'list', '-c', 'dms']]) {
        const child = spawn(NODE_BINARY, [CLI, ...words], {
          cwd: node.directory,
          env: lab.environment(node.directory),
          stdio: ['ignore', 'pipe', 'pipe']
        })
        let stderr = ''
        child.stderr.on('data', chunk => {
          stderr += String(chunk)
        })
        child.stdout.destroy() // as `| head -0` would
        const code = await new Promise(resolve => child.once('close', resolve))
        assert.equal(stderr, '', words.join(' '))
        assert.equal(code, 0, words.join(' '))
      }
    })

    it("'npx nunet' works in the clone", async () => {
      const output = execFileSync('npx', ['--no-install', 'nunet', 'version'], {
        cwd: ROOT,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore']
      })
      assert.match(output, /^NuNet Device Management Service\nVersion: \d+\.\d+\.\d+/)
    })
  })

  describe('in the configuration', () => {
    const path = (): string => join(node.directory, 'dms_config.json')

    async function refused(from: RegExp, to: string, message: RegExp, hint: RegExp): Promise<void> {
      const content = (await readFile(path(), 'utf8')).replace(from, to)
      await withFile(path(), content, async () => {
        for (const command of [RUN, ['key', 'did', 'user']]) {
          const result = await node.try(command)
          assertFailedPlainly(result, message)
          assert.match(result.stderr, hint)
        }
      })
    }

    it('a key nobody knows is told with the one that was meant', () =>
      refused(/"rest"/, '"rset"', /unknown key 'rset' in '.*dms_config\.json'.*'rest'/, /rest/))

    it('a value of the wrong type is told with what was expected', () =>
      refused(
        /"port": \d+/,
        '"port": "many"',
        /rest\.port in '.*dms_config\.json' is "many", expected a whole number from 0 to 65535/,
        /nunet config set rest\.port/
      ))

    it('a file that is no JSON is told with line and column', () =>
      refused(/^\{/, '{{', /dms_config\.json' is not valid JSON.*line 1 column 2/, /hint/))
  })

  describe('at the start of a daemon', () => {
    it('a REST port in use is named', async () => {
      const held = await listen(node.restPort)
      try {
        assertFailedPlainly(
          await node.try(RUN),
          new RegExp(`port ${node.restPort} of 127\\.0\\.0\\.1 is in use`)
        )
      } finally {
        held.close()
      }
    })

    it('a port for other nodes in use is named', async () => {
      const held = await listen(node.p2pPort)
      try {
        const message = new RegExp(`/ip4/127\\.0\\.0\\.1/tcp/${node.p2pPort}.*in use`)
        assertFailedPlainly(await node.try(RUN), message)
      } finally {
        held.close()
      }
    })

    it('a wrong passphrase is told, an empty one too, and the key stays as it is', async () => {
      const before = await snapshot(join(node.directory, 'user', 'key'))
      assertFailedPlainly(
        await node.try(RUN, { env: { DMS_PASSPHRASE: 'wrong' } }),
        /passphrase does not open the key/
      )
      assertFailedPlainly(await node.try(RUN, { env: { DMS_PASSPHRASE: '' } }), /passphrase not found/)
      assert.deepEqual(await snapshot(join(node.directory, 'user', 'key')), before)
    })

    it('a damaged key file is told and left alone', async () => {
      const path = join(node.directory, 'user', 'key', 'dms.json')
      const whole = await readFile(path, 'utf8')
      for (const damaged of [
        '',
        '{"half',
        whole.slice(0, whole.length / 2),
        whole.replace(/"mac": *"../, '"mac": "00')
      ])
        await withFile(path, damaged, async () =>
          assertFailedPlainly(await node.try(RUN), /key file is damaged|passphrase does not open the key/)
        )
    })

    it('a damaged capability file is told by all that use it and left alone', async () => {
      const path = join(node.directory, 'user', 'cap', 'dms.cap')
      await withFile(path, '{"half', async () => {
        for (const command of [
          RUN,
          ['cap', 'list', '-c', 'dms'],
          ['cap', 'anchor', '-c', 'dms', '--root', node.userDid]
        ])
          assertFailedPlainly(await node.try(command), /capability file is damaged/)
      })
    })

    it('a damaged database is told, with its path, and left alone', async () => {
      const path = join(node.directory, 'data', 'dms.sqlite')
      await withFile(path, 'this is no database '.repeat(500), async () => {
        const result = await node.try(RUN)
        assertFailedPlainly(result, /data\/dms\.sqlite': the file is not a database/)
        assert.match(result.stderr, /backup/)
      })
    })

    it('a database cut off in the middle is told and left alone', async () => {
      await node.start()
      await node.stop()
      const path = join(node.directory, 'data', 'dms.sqlite')
      const whole = await readFile(path)
      await rm(`${path}-wal`, { force: true })
      await rm(`${path}-shm`, { force: true })
      await truncate(path, Math.floor(whole.length / 8192) * 4096 - 100)
      try {
        assertFailedPlainly(await node.try(RUN), /data\/dms\.sqlite'/)
      } finally {
        await writeFile(path, whole)
      }
    })

    it('a second daemon of the same user directory is refused, and the first goes on', async () => {
      await node.start()
      const pid = node.daemon?.pid
      const result = await node.try([...RUN, '--rest-port', '0'])
      assertFailedPlainly(
        result,
        new RegExp(`daemon of context 'dms' is running already \\(process ${pid}\\)`)
      )
      assert.match(await node.run(['actor', 'cmd', '-c', 'user', '/public/hello']), /did:key:/)
      await node.stop()
    })

    it('the process id of a daemon that was killed does not keep the next one out', async () => {
      await node.start()
      await node.kill()
      await node.start()
      await node.stop()
      assert.deepEqual(await readdir(join(node.directory, 'user', 'run')), [])
    })

    it('a daemon that is told to stop while it starts ends by itself', async () => {
      const daemon = lab.spawn(node.directory, RUN)
      let output = ''
      daemon.stderr?.on('data', chunk => {
        output += String(chunk)
      })
      const ended = new Promise<number | null>(resolve => daemon.once('exit', resolve))
      await until('the daemon has claimed its place', async () => {
        const names = await readdir(join(node.directory, 'user', 'run')).catch((): string[] => [])
        return names.some(name => name === 'dms.pid')
      })
      daemon.kill('SIGTERM')
      const code = await ended
      assert.ok(code === 0 || code === 143, `exit code ${code}:\n${output}`)
      assert.doesNotMatch(output, /\n\s+at /)
      assert.deepEqual(await readdir(join(node.directory, 'user', 'run')), [])
    })
  })

  describe('on a full disk', () => {
    /** Mounts a tiny file system, or says why not. */
    function mountTiny(directory: string, size: string): string | undefined {
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'pipe' })
        return undefined
      } catch (error) {
        const reason =
          error instanceof Error ? error.message.split('\n').at(-1) || 'mount failed' : 'mount failed'
        if ((process.env['NUNET_REQUIRE'] ?? '').split(',').includes('root')) throw error
        return `needs root, to mount a small file system: ${reason}`
      }
    }

    it('every command says so, and what is there stays whole', async t => {
      const disk = join(node.directory, 'disk')
      await mkdir(disk)
      const missing = mountTiny(disk, '256k')
      if (missing !== undefined) return t.skip(missing)
      try {
        const user = ['--user-dir', join(disk, 'user')]
        await node.run(['cap', 'new', 'user', ...user])
        const before = await snapshot(join(disk, 'user'))
        await writeFile(join(disk, 'filler'), new Uint8Array(2 ** 20)).catch(() => undefined)
        for (const command of [
          ['key', 'new', 'second', ...user],
          ['cap', 'new', 'second', ...user],
          ['cap', 'anchor', '-c', 'user', '--root', node.userDid, ...user],
          ['run', '-c', 'user', ...user],
          [...RUN, '--data-dir', join(disk, 'data')],
          [...RUN, '--work-dir', join(disk, 'work'), '--data-dir', join(disk, 'work', 'data')]
        ]) {
          const result = await node.try(command)
          assertFailedPlainly(result, /the disk is full/)
          assert.match(result.stderr, /free some space/)
        }
        assert.deepEqual(await snapshot(join(disk, 'user')), before)
      } finally {
        execFileSync('umount', [disk])
      }
    })

    it('a running daemon answers that it is, loses nothing, and goes on when there is room again', async t => {
      const disk = join(node.directory, 'data')
      const missing = mountTiny(disk, '2m')
      if (missing !== undefined) return t.skip(missing)
      try {
        await node.start()
        const filler = join(disk, 'filler')
        await writeFile(filler, new Uint8Array(2 ** 22)).catch(() => undefined)
        const file = ['-f', join(EXAMPLES, 'hello-task.yaml')]
        const refused = await node.cmd('/dms/node/deployment/new', ...file)
        assert.equal(refused['Status'], 'ERROR')
        assert.match(String(refused['Error']), /the disk is full; free some space/)
        assertFailedPlainly(await node.try(['deploy', join(EXAMPLES, 'hello-task.yaml')]), /the disk is full/)
        await rm(filler)
        assert.equal((await node.cmd('/dms/node/deployment/list'))['total'], 0)
        const taken = await node.cmd('/dms/node/deployment/new', ...file)
        assert.equal(taken['Status'], 'OK')
        await node.kill()
        await node.start()
        assert.equal((await node.cmd('/dms/node/deployment/list'))['total'], 1)
      } finally {
        await node.stop()
        execFileSync('umount', [disk])
      }
    })
  })

  it('--debug adds where it happened, for those who want to know', async () => {
    const { code, stderr } = await node.try(['--debug', 'ps'])
    assert.equal(code, 1)
    assert.match(stderr, /\n\s+at /)
    assertPlain(
      stderr
        .split('\n')
        .filter(line => /^(Error|hint): /.test(line))
        .slice(0, 2)
        .join('\n'),
      /refused/
    )
  })
})
