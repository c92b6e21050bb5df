import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  createFixedHardware,
  createHardware,
  type Hardware,
  type SystemReader
} from '../../../src/hardware/index.ts'
import { systemClock, VirtualClock } from '../../../src/utils/index.ts'
import { MemoryLog, temporaryDirectory } from '../../utils/index.ts'
import { fixture, recordedMachine } from './recorded.ts'

const LINUX = {
  '/proc/cpuinfo': fixture('cpuinfo-epyc.txt'),
  '/proc/meminfo': fixture('meminfo.txt'),
  '/proc/stat': [fixture('stat-before.txt'), fixture('stat-after.txt')],
  '/proc/self/status': 'Cpus_allowed_list:\t0-1\n'
}

function hardwareOf(reader: SystemReader): { hardware: Hardware; clock: VirtualClock } {
  const clock = new VirtualClock()
  return { hardware: createHardware({ clock, log: new MemoryLog(), reader }, { diskPath: '/data' }), clock }
}

describe('the totals', () => {
  it('of a Linux machine', async () => {
    const { hardware } = hardwareOf(recordedMachine(LINUX, { architecture: 'x64' }))
    assert.deepEqual(await hardware.spec(), {
      cpu: {
        cores: 2,
        threads: 2,
        clock_speed: 2_596_136_000,
        model: 'AMD EPYC 9354 32-Core Processor',
        vendor: 'AuthenticAMD',
        architecture: 'x86_64',
        cache_size: 1_048_576
      },
      gpus: [],
      ram: { size: 24_684_084 * 1024 },
      disk: { size: 1000 }
    })
  })

  it('of a machine without /proc come from the platform', async () => {
    const { hardware } = hardwareOf(recordedMachine({}))
    const { cpu, ram } = await hardware.spec()
    assert.deepEqual(cpu, {
      cores: 8,
      threads: 8,
      clock_speed: 2_400_000_000,
      model: 'Apple M2',
      vendor: '',
      architecture: 'aarch64'
    })
    assert.equal(ram.size, 16 * 2 ** 30)
  })

  it('are cut by the affinity and the limits of the cgroup', async () => {
    const limited = {
      ...LINUX,
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cpu.max': '133333 100000',
      '/sys/fs/cgroup/memory.max': '1000000',
      '/sys/fs/cgroup/memory.current': '400000'
    }
    const { hardware, clock } = hardwareOf(recordedMachine(limited))
    const spec = await hardware.spec()
    assert.equal(spec.cpu.cores, 1.33)
    assert.equal(spec.ram.size, 1_000_000)
    const usage = hardware.usage()
    await clock.advance(200)
    assert.equal((await usage).ram.size, 400_000)
    const pinned = hardwareOf(recordedMachine({ ...LINUX, '/proc/self/status': 'Cpus_allowed_list:\t1\n' }))
    assert.equal((await pinned.hardware.spec()).cpu.cores, 1)
  })

  it('prefer the highest speed to the present one', async () => {
    const { hardware } = hardwareOf(
      recordedMachine({ ...LINUX, '/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq': '3800000' })
    )
    assert.equal((await hardware.spec()).cpu.clock_speed, 3_800_000_000)
  })
})

describe('the use', () => {
  it('is measured over 200 ms, in cores, and leaves the rest free', async () => {
    const { hardware, clock } = hardwareOf(recordedMachine(LINUX))
    const answers = Promise.all([hardware.usage(), hardware.free()])
    await clock.advance(200)
    const [usage, free] = await answers
    assert.equal(usage.cpu.cores, 0.5)
    assert.equal(usage.disk.size, 600)
    assert.equal(usage.ram.size, (24_684_084 - 24_229_336) * 1024)
    assert.equal(free.cpu.cores, 1.5)
    assert.equal(free.disk.size, 400)
    assert.equal(free.ram.size, 24_229_336 * 1024)
  })

  it('is measured once for callers within a second', async () => {
    const machine = recordedMachine(LINUX)
    const { hardware, clock } = hardwareOf(machine)
    const measured = (): number => machine.reads.filter(path => path === '/proc/stat').length / 2
    const together = Promise.all([hardware.usage(), hardware.usage(), hardware.usage()])
    await clock.advance(200)
    await together
    assert.equal(measured(), 1)
    await clock.advance(999)
    await hardware.usage()
    assert.equal(measured(), 1)
    await clock.advance(1)
    const again = hardware.usage()
    await clock.advance(200)
    await again
    assert.equal(measured(), 2)
  })

  it('stops waiting when the caller gives up, and the others still get it', async () => {
    const { hardware, clock } = hardwareOf(recordedMachine(LINUX))
    const controller = new AbortController()
    const reason = new Error('enough')
    const given = assert.rejects(hardware.usage({ signal: controller.signal }), reason)
    const patient = hardware.usage()
    await clock.advance(100)
    controller.abort(reason)
    await given
    await clock.advance(100)
    assert.equal((await patient).cpu.cores, 0.5)
  })

  it('is measured again after a failure', async () => {
    let broken = true
    const machine = recordedMachine(LINUX)
    const reader: SystemReader = {
      ...machine,
      readText: async (path, options) => {
        if (broken && path === '/proc/stat') throw new Error('broken')
        return await machine.readText(path, options)
      }
    }
    const { hardware, clock } = hardwareOf(reader)
    await assert.rejects(hardware.usage(), /broken/)
    broken = false
    const usage = hardware.usage()
    await clock.advance(200)
    assert.equal((await usage).cpu.cores, 0.5)
  })

  it('of a disk that cannot be read is an error that names the place', async () => {
    const reader = { ...recordedMachine(LINUX), diskSpace: () => Promise.reject(new Error('EACCES')) }
    await assert.rejects(hardwareOf(reader).hardware.spec(), {
      code: 'HARDWARE_UNREADABLE',
      message: /'\/data'/
    })
  })
})

describe('this machine', () => {
  it('has something of everything, and never more free than there is', async () => {
    await using directory = await temporaryDirectory()
    const hardware = createHardware(
      { clock: systemClock, log: new MemoryLog() },
      { diskPath: directory.join('not', 'made', 'yet') }
    )
    const [spec, free] = await Promise.all([hardware.spec(), hardware.free()])
    assert.ok(spec.cpu.cores > 0 && spec.ram.size > 2 ** 20 && spec.disk.size > 2 ** 20)
    assert.ok(
      free.cpu.cores <= spec.cpu.cores && free.ram.size <= spec.ram.size && free.disk.size <= spec.disk.size
    )
    assert.match(spec.cpu.architecture ?? '', /^(x86_64|aarch64)$/)
  })
})

describe('a fixed machine', () => {
  const spec = { cpu: { cores: 4 }, gpus: [], ram: { size: 10 }, disk: { size: 20 } }

  it('answers with what it was given, less its use, and cannot be changed through an answer', async () => {
    const hardware = createFixedHardware(spec, { cpu: { cores: 5 }, ram: { size: 4 }, disk: { size: 0 } })
    assert.deepEqual(await hardware.free(), {
      cpu: { cores: 0 },
      gpus: [],
      ram: { size: 6 },
      disk: { size: 20 }
    })
    const answer = await hardware.spec()
    answer.ram.size = 0
    assert.deepEqual(await hardware.spec(), spec)
    assert.equal((await createFixedHardware(spec).usage()).cpu.cores, 0)
  })

  it('stops on abort', async () => {
    await assert.rejects(createFixedHardware(spec).spec({ signal: AbortSignal.abort(new Error('no')) }), /no/)
  })
})
