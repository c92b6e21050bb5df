import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '../../../../src/db/index.ts'
import { Onboarding } from '../../../../src/dms/onboarding/index.ts'
import { ResourceManager } from '../../../../src/dms/resources/index.ts'
import { createFixedHardware } from '../../../../src/hardware/index.ts'
import type { Resources } from '../../../../src/types/index.ts'
import { GIB, VirtualClock } from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'

const amount = (cores: number, ram: number, disk: number): Resources => ({
  cpu: { cores },
  ram: { size: ram * GIB },
  disk: { size: disk * GIB }
})
const MACHINE: Resources = {
  ...amount(8, 16, 300),
  cpu: { cores: 8, clock_speed: 3e9, architecture: 'x86_64', model: 'X' }
}
const GPU = {
  index: 2,
  vendor: 'NVIDIA',
  pci_address: '0000:01:00.0',
  model: 'T4',
  vram: 16 * GIB,
  uuid: 'GPU-x'
} as const

function setUp(machine: Resources = MACHINE, usage: Resources = amount(0, 0, 0)) {
  const clock = new VirtualClock()
  const log = new MemoryLog()
  const db = openDatabase({ clock, log }, { path: ':memory:' })
  const resources = new ResourceManager({
    reservations: db.reservations,
    onboarding: db.onboarding,
    clock,
    log
  })
  const make = (spec: Resources, used = usage) =>
    new Onboarding({
      repository: db.onboarding,
      hardware: createFixedHardware(spec, used),
      resources,
      clock,
      log
    })
  const claim = (cores: number) =>
    resources.commit([
      {
        allocationId: 'a',
        ensembleId: 'e',
        nodeId: 'n',
        owner: 'o',
        resources: amount(cores, 1, 1),
        ports: [],
        expiresAtMs: clock.nowMs() + 1_000
      }
    ])
  return { db, log, resources, make, claim, onboarding: make(machine) }
}

test('an offer is taken, stored, and carries what the machine says about itself', async () => {
  const { onboarding, make } = setUp()
  assert.deepEqual(onboarding.status(), { onboarded: false })
  const result = await onboarding.onboard(amount(4, 8, 100))
  assert.ok(result.ok)
  const { onboarded, resources } = make(MACHINE).status()
  assert.equal(onboarded, true)
  assert.deepEqual(resources?.cpu, { cores: 4, clock_speed: 3e9, architecture: 'x86_64', model: 'X' })
  assert.equal(resources?.ram.size, 8 * GIB)
})

const LIMITS: [string, Resources, RegExp][] = [
  ['less than a core', amount(0.5, 8, 100), /capacity not met: cores: expected between 1 and 8, got 0\.5/],
  [
    'more cores than there are',
    amount(9, 8, 100),
    /capacity not met: cores: expected between 1 and 8, got 9/
  ],
  ['no number of cores', amount(Number.NaN, 8, 100), /cores/],
  [
    'too little RAM',
    amount(4, 1, 100),
    /capacity not met: RAM: expected between 1\.6 and 14\.4 GiB, got 1 GiB/
  ],
  ['too much RAM', amount(4, 15, 100), /RAM: expected between/],
  [
    'too little disk',
    amount(4, 8, 0.5),
    /capacity not met: disk: expected between 1 and 270 GiB, got 0\.5 GiB/
  ],
  ['too much disk', amount(4, 8, 271), /disk: expected between 1 and 270 GiB/],
  ['a GPU that is not there', { ...amount(4, 8, 100), gpus: [{ ...GPU, index: 7 }] }, /no GPU with index 7/]
]
for (const [what, offer, message] of LIMITS) {
  test(`an offer of ${what} is refused with the bounds`, async () => {
    const { onboarding } = setUp()
    const result = await onboarding.onboard(offer)
    assert.ok(!result.ok)
    assert.match(result.error.message, /^could not validate onboarding prerequisites: /)
    assert.match(result.error.message, message)
    assert.equal(onboarding.status().onboarded, false)
  })
}

test('the bounds themselves are allowed', async () => {
  const { onboarding } = setUp()
  assert.equal((await onboarding.onboard(amount(1, 1.6, 1))).ok, true)
  assert.equal((await onboarding.onboard(amount(8, 14.4, 270))).ok, true)
})

test('a GPU gets its identity from the machine and its VRAM from the owner, within 10 to 90 percent', async () => {
  const { onboarding } = setUp({ ...MACHINE, gpus: [GPU] })
  const offer = (vram: number): Resources => ({
    ...amount(4, 8, 100),
    gpus: [{ index: 2, vendor: 'Unknown', pci_address: '', model: '', uuid: '', vram: vram * GIB }]
  })
  assert.equal((await onboarding.onboard(offer(15))).ok, false)
  assert.equal((await onboarding.onboard(offer(1))).ok, false)
  const result = await onboarding.onboard(offer(8))
  assert.deepEqual(result.ok && result.value.resources.gpus, [{ ...GPU, vram: 8 * GIB }])
})

test('RAM that others use now refuses an offer; a busy CPU is only logged', async () => {
  const { make, log } = setUp()
  const result = await make(MACHINE, amount(0, 12, 0)).onboard(amount(4, 8, 100))
  assert.match(
    result.ok ? '' : result.error.message,
    /machine has high usage: RAM: offered 8 GiB, 4 GiB free now/
  )
  assert.equal((await make(MACHINE, amount(7, 0, 0)).onboard(amount(4, 8, 100))).ok, true)
  assert.match(
    String(log.entries.find(entry => entry.level === 'warn')?.fields['reason']),
    /high usage: cores/
  )
})

test('an offer below what is allocated is refused and changes nothing', async () => {
  const { onboarding, claim } = setUp()
  await onboarding.onboard(amount(4, 8, 100))
  claim(3)
  const result = await onboarding.onboard(amount(2, 8, 100))
  assert.equal(result.ok ? '' : result.error.code, 'ONBOARDING_BELOW_ALLOCATED')
  assert.equal(onboarding.status().resources?.cpu.cores, 4)
  assert.equal((await onboarding.onboard(amount(3, 8, 100))).ok, true)
})

test('offboarding is refused while anything is taken, and when nothing is offered', async () => {
  const { onboarding, claim, resources } = setUp()
  assert.equal(onboarding.offboard().ok, false)
  assert.deepEqual(onboarding.offboard(), {
    ok: false,
    error: { code: 'ONBOARDING_NOT_ONBOARDED', message: 'machine is not onboarded' }
  })
  await onboarding.onboard(amount(4, 8, 100))
  claim(1)
  const refused = onboarding.offboard()
  assert.equal(refused.ok ? '' : refused.error.code, 'ONBOARDING_IN_USE')
  resources.release('a')
  assert.equal(onboarding.offboard().ok, true)
  assert.equal(onboarding.status().onboarded, false)
})

test('at start, an offer the machine cannot keep is withdrawn, and high usage is only logged', async () => {
  const { onboarding, make, log } = setUp()
  await onboarding.onboard(amount(4, 8, 100))
  await make(MACHINE, amount(7, 15, 290)).start()
  assert.equal(onboarding.status().onboarded, true)
  assert.ok(log.entries.some(entry => entry.level === 'warn'))
  await make(amount(2, 16, 300)).start()
  assert.equal(onboarding.status().onboarded, false)
  assert.match(String(log.entries.at(-1)?.fields['reason']), /cores: expected between 1 and 2, got 4/)
})
