/**
 * What the owner offers to others: taken, withdrawn, and checked again at each start against the machine.
 *
 * Momentary CPU load and disk use never refuse an offer: they are logged. RAM and VRAM that others hold right now
 * do, since a workload that was promised it would be killed (cli-api-config §7.3).
 */

import type { OnboardingRecord } from '../../db/index.ts'
import type { AbortOptions, GpuResources, Refusal, Resources, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { addResources, subtractResources } from '../resources/index.ts'
import { VALIDATION_PREFIX } from './constants.ts'
import type { OnboardingDeps, OnboardingStatus } from './types.ts'
import { capacityProblems, usageProblems } from './validation.ts'

/** Busy verdicts that refuse an offer; the others are only logged. */
const REFUSING = new Set(['ONBOARDING_RAM_BUSY', 'ONBOARDING_GPU_BUSY'])

/** Takes, withdraws and re-checks the offer of one machine. */
export class Onboarding {
  readonly #deps: OnboardingDeps

  constructor(deps: OnboardingDeps) {
    this.#deps = deps
  }

  status(): OnboardingStatus {
    const record = this.#deps.repository.get()
    return record === undefined
      ? { onboarded: false }
      : { onboarded: true, resources: record.resources, onboardedAtMs: record.onboardedAtMs }
  }

  /**
   * Offers `asked` of this machine, in place of what was offered before. CPU clock, architecture and GPU identity
   * come from the machine, not from the asker.
   */
  async onboard(asked: Resources, { signal }: AbortOptions = {}): Promise<Result<OnboardingRecord>> {
    const { hardware, repository, resources, clock, log } = this.#deps
    const [machine, free] = await Promise.all([hardware.spec({ signal }), hardware.free({ signal })])
    const offer = normalise(asked, machine)
    // What our own workloads use is part of the offer, not load by others.
    const available = addResources(free, resources.allocated())
    const busy = usageProblems(offer, available)
    const problems = [
      ...capacityProblems(offer, machine),
      ...busy.filter(problem => REFUSING.has(problem.code))
    ]
    if (problems.length > 0) return refuse(invalid(problems))
    const taken = addResources(resources.allocated(), resources.committed())
    const rest = subtractResources(offer, taken)
    if (!rest.ok) {
      return refuse(
        refusal('ONBOARDING_BELOW_ALLOCATED', `${VALIDATION_PREFIX}less than what is allocated`, {
          causes: rest.error.causes ?? []
        })
      )
    }
    for (const problem of busy) log.warn('machine has high usage', { reason: problem.message })
    const record: OnboardingRecord = { resources: offer, onboardedAtMs: clock.nowMs() }
    repository.save(record)
    log.info('machine onboarded', {
      cores: offer.cpu.cores,
      ramBytes: offer.ram.size,
      diskBytes: offer.disk.size
    })
    return ok(record)
  }

  /** Withdraws the offer. Refused while anything is committed or allocated. */
  offboard(): Result<void> {
    const { repository, resources, log } = this.#deps
    if (repository.get() === undefined)
      return refuse(refusal('ONBOARDING_NOT_ONBOARDED', 'machine is not onboarded'))
    const taken = addResources(resources.allocated(), resources.committed())
    if (taken.cpu.cores > 0 || taken.ram.size > 0 || taken.disk.size > 0 || (taken.gpus ?? []).length > 0) {
      return refuse(
        refusal(
          'ONBOARDING_IN_USE',
          'allocations are using this machine; shut them down, or wait for them to end, before offboarding'
        )
      )
    }
    repository.clear()
    log.info('machine offboarded')
    return ok(undefined)
  }

  /**
   * Checks the stored offer against the machine as it is now: an offer the machine cannot keep is withdrawn, high
   * usage is only logged.
   */
  async start({ signal }: AbortOptions = {}): Promise<void> {
    const { hardware, repository, resources, log } = this.#deps
    const record = repository.get()
    if (record === undefined) return
    const [machine, free] = await Promise.all([hardware.spec({ signal }), hardware.free({ signal })])
    const problems = capacityProblems(record.resources, machine)
    if (problems.length > 0) {
      repository.clear()
      log.warn('machine offboarded: it no longer has what was offered', { reason: invalid(problems).message })
      return
    }
    for (const problem of usageProblems(record.resources, addResources(free, resources.allocated()))) {
      log.warn('machine has high usage', { reason: problem.message })
    }
  }
}

function invalid(problems: readonly Refusal[]): Refusal {
  const text = problems.map(problem => problem.message).join('; ')
  return refusal('ONBOARDING_INVALID', VALIDATION_PREFIX + text, { causes: problems })
}

/** The offer in the machine's own terms; cores are cut, not rounded up, to hundredths. */
function normalise(asked: Resources, machine: Resources): Resources {
  const gpus = (asked.gpus ?? []).map((gpu): GpuResources => {
    const device = machine.gpus?.find(candidate => candidate.index === gpu.index)
    return device ? { ...device, vram: gpu.vram } : gpu
  })
  const offer: Resources = {
    cpu: { ...machine.cpu, cores: Math.floor(asked.cpu.cores * 100 + 1e-6) / 100 },
    ram: { ...machine.ram, size: Math.floor(asked.ram.size) },
    disk: { ...machine.disk, size: Math.floor(asked.disk.size) }
  }
  return gpus.length > 0 ? { ...offer, gpus } : offer
}
