import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addResources,
  assignGpus,
  centiCores,
  combineComparisons,
  compareResources,
  subtractResources
} from '../../../../src/dms/resources/index.ts'
import type { GpuResources, Resources } from '../../../../src/types/index.ts'

const gpu = (index: number, vram: number, extra: Partial<GpuResources> = {}): GpuResources => ({
  index,
  vram,
  vendor: 'NVIDIA',
  pci_address: `0000:0${index}:00.0`,
  model: 'T4',
  uuid: `GPU-${index}`,
  ...extra
})
const wish = (vram: number, extra: Partial<GpuResources> = {}): GpuResources => ({
  index: 0,
  vram,
  vendor: 'Unknown',
  pci_address: '',
  model: '',
  uuid: '',
  ...extra
})
const amount = (cores: number, ram: number, disk: number, gpus?: GpuResources[]): Resources => ({
  cpu: { cores },
  ram: { size: ram },
  disk: { size: disk },
  ...(gpus ? { gpus } : {})
})

test('cores are counted in hundredths without drift, and never less than asked', () => {
  assert.equal(centiCores(0.29), 29)
  assert.equal(centiCores(1.1), 110)
  assert.equal(centiCores(0.001), 1)
  assert.equal(centiCores(-1), 0)
  let sum = amount(0, 0, 0)
  for (let step = 0; step < 10; step++) sum = addResources(sum, amount(0.1, 1, 2))
  assert.deepEqual(sum, amount(1, 10, 20))
})

test('a sum keeps every GPU and adds up the VRAM of the same device', () => {
  const sum = addResources(amount(1, 1, 1, [gpu(0, 5)]), amount(1, 1, 1, [gpu(0, 3), gpu(1, 7)]))
  assert.deepEqual(
    sum.gpus?.map(({ index, vram }) => [index, vram]),
    [
      [0, 8],
      [1, 7]
    ]
  )
})

test('a difference names each amount that would fall below zero', () => {
  const left = subtractResources(amount(1.5, 10, 10), amount(4, 20, 5))
  assert.ok(!left.ok)
  assert.deepEqual(
    left.error.causes?.map(cause => cause.code),
    ['RESOURCES_CPU_LACKING', 'RESOURCES_RAM_LACKING']
  )
  assert.equal(left.error.causes?.[0]?.message, 'asked 4 cores, 1.5 free')
})

test('a difference takes VRAM from the device it names and refuses a device that is not there', () => {
  const left = subtractResources(amount(1, 1, 1, [gpu(0, 8), gpu(1, 8)]), amount(0, 0, 0, [gpu(1, 5)]))
  assert.ok(left.ok)
  assert.deepEqual(
    left.value.gpus?.map(({ vram }) => vram),
    [8, 3]
  )
  assert.equal(subtractResources(amount(1, 1, 1, [gpu(0, 8)]), amount(0, 0, 0, [gpu(3, 1)])).ok, false)
})

test('names and speeds stay as they are on the left', () => {
  const machine = { ...amount(4, 1, 1), cpu: { cores: 4, model: 'X', clock_speed: 3e9 } }
  const left = subtractResources(machine, amount(1, 0, 0))
  assert.deepEqual(left.ok && left.value.cpu, { cores: 3, model: 'X', clock_speed: 3e9 })
})

test('comparison tells better, equal, worse and not comparable', () => {
  const have = { ...amount(4, 8, 8), cpu: { cores: 4, clock_speed: 2e9, architecture: 'x86_64' } }
  const ask = (cpu: Resources['cpu'], ram = 8): Resources => ({ cpu, ram: { size: ram }, disk: { size: 8 } })
  assert.equal(compareResources(have, ask({ cores: 4 })), 'Equal')
  assert.equal(compareResources(have, ask({ cores: 2 })), 'Better')
  assert.equal(compareResources(have, ask({ cores: 2 }, 9)), 'Worse')
  assert.equal(compareResources(have, ask({ cores: 4, clock_speed: 3e9 })), 'Worse')
  assert.equal(compareResources(have, ask({ cores: 8, clock_speed: 1e9 })), 'Worse')
  assert.equal(compareResources(have, ask({ cores: 1, architecture: 'arm64' })), 'None')
  assert.equal(compareResources(have, { ...ask({ cores: 1 }), gpus: [wish(1)] }), 'Worse')
})

test('joining comparisons does not depend on the side', () => {
  const all = ['Better', 'Worse', 'Equal', 'None'] as const
  for (const left of all)
    for (const right of all) assert.equal(combineComparisons(left, right), combineComparisons(right, left))
  assert.equal(combineComparisons('Better', 'Equal'), 'Better')
  assert.equal(combineComparisons('Better', 'Worse'), 'Worse')
  assert.equal(combineComparisons('Worse', 'None'), 'None')
})

test('each asked GPU gets a device of its own that matches what was given', () => {
  const free = [gpu(0, 16), gpu(1, 8), gpu(2, 8, { vendor: 'AMD/ATI', model: 'MI' })]
  const taken = assignGpus(free, [wish(4), wish(4, { vendor: 'AMD/ATI' }), wish(10)])
  assert.ok(taken.ok)
  assert.deepEqual(taken.value.map(device => [device.index, device.vram]).sort(), [
    [0, 10],
    [1, 4],
    [2, 4]
  ])
  assert.equal(assignGpus(free, [wish(1), wish(1), wish(1), wish(1)]).ok, false)
  assert.equal(assignGpus(free, [wish(1, { uuid: 'GPU-9' })]).ok, false)
  const whole = assignGpus(free, [wish(0, { model: 'MI' })])
  assert.deepEqual(whole.ok && whole.value.map(device => device.vram), [8])
})
