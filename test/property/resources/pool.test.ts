/** Whatever is committed, allocated, released and left to expire: the parts never exceed the whole. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '../../../src/db/index.ts'
import {
  addResources,
  centiCores,
  ResourceManager,
  subtractResources,
  sumResources
} from '../../../src/dms/resources/index.ts'
import type { GpuResources, RandomSource, Resources } from '../../../src/types/index.ts'
import { SeededRandom, VirtualClock } from '../../../src/utils/index.ts'
import { MemoryLog } from '../../utils/index.ts'

const gpu = (index: number, vram: number): GpuResources => ({
  index,
  vram,
  vendor: 'NVIDIA',
  pci_address: '',
  model: 'T4',
  uuid: `GPU-${index}`
})

const WHOLE: Resources = {
  cpu: { cores: 8 },
  ram: { size: 1000 },
  disk: { size: 1000 },
  gpus: [gpu(0, 100), gpu(1, 50)]
}

function randomDemand(random: RandomSource): Resources {
  const gpus = Array.from({ length: random.below(3) }, () => ({
    ...gpu(0, random.below(70)),
    uuid: '',
    model: ''
  }))
  return {
    cpu: { cores: random.below(400) / 100 },
    ram: { size: random.below(500) },
    disk: { size: random.below(500) },
    ...(random.below(2) === 0 ? { gpus } : {})
  }
}

for (let seed = 1; seed <= 20; seed++) {
  test(`the parts never exceed the whole (seed ${seed})`, async () => {
    const random = new SeededRandom(seed)
    const clock = new VirtualClock()
    const log = new MemoryLog()
    using db = openDatabase({ clock, log }, { path: ':memory:' })
    db.onboarding.save({ resources: WHOLE, onboardedAtMs: 0 })
    let manager = new ResourceManager({
      reservations: db.reservations,
      onboarding: db.onboarding,
      clock,
      log
    })
    await manager.start()
    for (let step = 0; step < 150; step++) {
      const allocationId = `a${random.below(12)}`
      const port = random.below(20)
      switch (random.below(6)) {
        case 0:
        case 1: {
          const resources = randomDemand(random)
          const fits = manager.fits(resources)
          const isNew =
            db.reservations.get(allocationId) === undefined &&
            !db.reservations.list().some(record => record.ports.includes(port))
          const expiresAtMs = clock.nowMs() + random.below(100_000)
          const taken = manager.commit([
            { allocationId, ensembleId: 'e', nodeId: 'n', owner: 'o', resources, ports: [port], expiresAtMs }
          ])
          if (fits.ok && isNew) assert.equal(taken.ok, true)
          break
        }
        case 2:
          manager.allocate(allocationId)
          break
        case 3:
          manager.release(allocationId)
          break
        case 4:
          await clock.advance(random.below(90_000))
          break
        default:
          await manager.stop()
          manager = new ResourceManager({
            reservations: db.reservations,
            onboarding: db.onboarding,
            clock,
            log
          })
          await manager.start()
      }
      assertBooks(
        db.reservations.list().map(record => record.resources),
        manager
      )
      const ports = db.reservations.list().flatMap(record => record.ports)
      assert.equal(new Set(ports).size, ports.length)
    }
    for (const record of db.reservations.list()) manager.release(record.allocationId)
    assert.deepEqual(manager.free(), WHOLE)
    assert.deepEqual(
      log.entries.filter(entry => entry.level === 'error'),
      []
    )
    await manager.stop()
  })
}

function assertBooks(parts: readonly Resources[], manager: ResourceManager): void {
  const taken = sumResources(parts)
  assert.ok(centiCores(taken.cpu.cores) <= centiCores(WHOLE.cpu.cores))
  assert.ok(taken.ram.size <= WHOLE.ram.size && taken.disk.size <= WHOLE.disk.size)
  for (const device of WHOLE.gpus ?? []) {
    const used = taken.gpus?.find(candidate => candidate.uuid === device.uuid)?.vram ?? 0
    assert.ok(used <= device.vram)
  }
  assert.deepEqual(addResources(manager.free(), taken), WHOLE)
  assert.deepEqual(manager.committed().ram.size + manager.allocated().ram.size, taken.ram.size)
}

test('what is added and taken away again leaves what was there', () => {
  const random = new SeededRandom(99)
  for (let round = 0; round < 500; round++) {
    const base = { ...randomDemand(random), gpus: [gpu(0, 10)] }
    const extra = { ...randomDemand(random), gpus: [gpu(0, random.below(10))] }
    assert.deepEqual(subtractResources(addResources(base, extra), extra), { ok: true, value: base })
  }
})
