import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  parseCgroupPaths,
  parseCpuMax,
  parseInactiveFile,
  parseMemoryLimit,
  quotient,
  readCgroupLimits
} from '../../../src/hardware/cgroup.ts'
import { parseAllowedCpus } from '../../../src/hardware/cpu-affinity.ts'
import { architectureName, parseCpuInfo, parseMaxFrequency } from '../../../src/hardware/cpu-info.ts'
import { busyShare, parseCpuTimes } from '../../../src/hardware/cpu-usage.ts'
import { parseMemoryInfo } from '../../../src/hardware/memory.ts'
import { fixture, recordedMachine } from './recorded.ts'

describe('/proc/cpuinfo', () => {
  it('of an x86 machine gives model, maker, speed and cache of the first processor', () => {
    assert.deepEqual(parseCpuInfo(fixture('cpuinfo-epyc.txt')), {
      processors: 2,
      model: 'AMD EPYC 9354 32-Core Processor',
      vendor: 'AuthenticAMD',
      hertz: 2_596_136_000,
      cacheBytes: 1_048_576
    })
  })

  it('of an ARM machine gives the maker by its number and leaves out what is not there', () => {
    assert.deepEqual(parseCpuInfo(fixture('cpuinfo-arm.txt')), { processors: 3, vendor: 'ARM' })
  })

  it('without content gives nothing', () => {
    assert.deepEqual(parseCpuInfo(''), { processors: 0 })
    assert.deepEqual(parseCpuInfo(':::\ncpu MHz : fast\ncache size : lots'), { processors: 0 })
  })
})

describe('facts of the processor', () => {
  it('read the highest frequency in kHz', () => {
    assert.equal(parseMaxFrequency('3500000\n'), 3_500_000_000)
    assert.equal(parseMaxFrequency('<unknown>'), undefined)
    assert.equal(parseMaxFrequency(''), undefined)
  })

  it('name the architecture as others do', () => {
    assert.deepEqual(['x64', 'arm64', 'riscv64', 's390x'].map(architectureName), [
      'x86_64',
      'aarch64',
      'riscv64',
      's390x'
    ])
    assert.equal(architectureName('constructor'), 'constructor')
  })

  it('count the CPUs a process may use', () => {
    assert.equal(parseAllowedCpus('Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,8,10-11\n'), 7)
    assert.equal(parseAllowedCpus('Cpus_allowed_list:\t5\n'), 1)
    assert.equal(parseAllowedCpus('Cpus_allowed_list:\tall\n'), undefined)
    assert.equal(parseAllowedCpus(''), undefined)
  })
})

describe('/proc/stat', () => {
  it('counts waiting for a disk as idle and guests once', () => {
    assert.deepEqual(parseCpuTimes(fixture('stat-before.txt')), { busy: 1600, total: 10_000 })
  })

  it('gives the busy share between two readings', () => {
    const [before, after] = ['stat-before.txt', 'stat-after.txt'].map(name => parseCpuTimes(fixture(name)))
    assert.ok(before && after)
    assert.equal(busyShare(before, after), 0.25)
    assert.equal(busyShare(after, before), 0)
    assert.equal(busyShare(before, before), 0)
  })

  it('of another form gives nothing', () => {
    assert.equal(parseCpuTimes('cpu0 1 2 3 4'), undefined)
    assert.equal(parseCpuTimes('cpu  1 2'), undefined)
  })
})

describe('/proc/meminfo', () => {
  it('gives total and available bytes', () => {
    assert.deepEqual(parseMemoryInfo(fixture('meminfo.txt')), {
      total: 24_684_084 * 1024,
      available: 24_229_336 * 1024
    })
  })

  it('of an old kernel has no MemAvailable and counts free memory', () => {
    assert.deepEqual(parseMemoryInfo('MemTotal:  100 kB\nMemFree:   40 kB\n'), {
      total: 102_400,
      available: 40_960
    })
    assert.equal(parseMemoryInfo('nothing'), undefined)
  })
})

describe('cgroups', () => {
  it('place a process in both versions', () => {
    const { unified, controllers } = parseCgroupPaths(
      '4:memory:/a/b\n2:cpu,cpuacct:/c\n1:name=systemd:/d\n0::/e:f\n'
    )
    assert.equal(unified, '/e:f')
    assert.deepEqual(Object.fromEntries(controllers), {
      memory: '/a/b',
      cpu: '/c',
      cpuacct: '/c',
      'name=systemd': '/d'
    })
  })

  it('write their limits in their own ways', () => {
    assert.equal(parseCpuMax('150000 100000\n'), 1.5)
    assert.equal(parseCpuMax('max 100000\n'), undefined)
    assert.equal(quotient('-1\n', '100000\n'), undefined)
    assert.equal(quotient('50000\n', '100000\n'), 0.5)
    assert.equal(quotient('', ''), undefined)
    assert.equal(parseMemoryLimit('1073741824\n'), 2 ** 30)
    assert.equal(parseMemoryLimit('max\n'), undefined)
    assert.equal(parseMemoryLimit('9223372036854771712\n'), undefined)
    assert.equal(parseMemoryLimit(''), undefined)
    assert.equal(parseInactiveFile('anon 5\ninactive_file 77\n'), 77)
    assert.equal(parseInactiveFile('inactive_file 1\ntotal_inactive_file 8\n'), 1)
    assert.equal(parseInactiveFile(''), 0)
  })

  it('of version 2: the tightest limit of all levels wins', async () => {
    const machine = recordedMachine({
      '/proc/self/cgroup': '0::/user.slice/dms.service\n',
      '/sys/fs/cgroup/user.slice/cpu.max': '100000 100000',
      '/sys/fs/cgroup/user.slice/dms.service/cpu.max': '400000 100000',
      '/sys/fs/cgroup/user.slice/memory.max': '1000000',
      '/sys/fs/cgroup/user.slice/memory.current': '900000',
      '/sys/fs/cgroup/user.slice/memory.stat': 'inactive_file 100000\n',
      '/sys/fs/cgroup/user.slice/dms.service/memory.max': '500000',
      '/sys/fs/cgroup/user.slice/dms.service/memory.current': '10000'
    })
    assert.deepEqual(await readCgroupLimits(machine), {
      cpus: 1,
      memoryBytes: 1_000_000,
      memoryUsedBytes: 800_000
    })
  })

  it('of version 1, as a container sees them at the root', async () => {
    const machine = recordedMachine({
      '/proc/self/cgroup': '5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '250000',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '2000',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '700',
      '/sys/fs/cgroup/memory/memory.stat': 'total_inactive_file 200\n'
    })
    assert.deepEqual(await readCgroupLimits(machine), { cpus: 2.5, memoryBytes: 2000, memoryUsedBytes: 500 })
  })

  it('that are not there do not limit', async () => {
    assert.deepEqual(await readCgroupLimits(recordedMachine({})), {})
    assert.deepEqual(await readCgroupLimits(recordedMachine({ '/proc/self/cgroup': '0::/\n' })), {})
  })

  it('never lead out of their mount', async () => {
    const machine = recordedMachine({ '/proc/self/cgroup': '0::/../../etc\n' })
    await readCgroupLimits(machine)
    assert.ok(
      machine.reads.slice(1).every(path => path.startsWith('/sys/fs/cgroup/') && !path.includes('..'))
    )
  })
})
