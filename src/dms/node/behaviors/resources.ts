/** The machine, what of it is offered, and what is taken (cli-api-config §6.5, §7.3). */

import { z } from 'zod'
import type { Hardware } from '../../../hardware/index.ts'
import type { Resources } from '../../../types/index.ts'
import { resourcesSchema } from '../../jobs/index.ts'
import type { Onboarding } from '../../onboarding/index.ts'
import { NO_RESOURCES, type ResourceManager } from '../../resources/index.ts'
import { type Declaration, declare, noPayload } from '../declare.ts'

export interface ResourceBehaviorDeps {
  hardware: Hardware
  resources: ResourceManager
  onboarding: Onboarding
}

export function resourceBehaviors({ hardware, resources, onboarding }: ResourceBehaviorDeps): Declaration[] {
  return [
    amount('/dms/node/resources/free', () => resources.free()),
    amount('/dms/node/resources/allocated', () => resources.allocated()),
    amount('/dms/node/resources/onboarded', () => resources.onboarded() ?? NO_RESOURCES),
    amount('/dms/node/hardware/spec', signal => hardware.spec({ signal })),
    amount('/dms/node/hardware/usage', signal => hardware.usage({ signal })),
    declare({
      path: '/dms/node/onboarding/onboard',
      request: z.object({
        NoGPU: z.boolean().default(false),
        Config: z.object({ onboarded_resources: resourcesSchema })
      }),
      handle: async ({ payload, signal }) => {
        const offered = payload.Config.onboarded_resources
        const done = await onboarding.onboard(payload.NoGPU ? { ...offered, gpus: [] } : offered, { signal })
        if (done.ok) return { success: true, config: onboardingConfig(true, done.value.resources) }
        return { success: false, error: done.error.message, config: onboardingConfig(false, NO_RESOURCES) }
      },
      onError: ({ message }) => ({
        success: false,
        error: message,
        config: onboardingConfig(false, NO_RESOURCES)
      })
    }),
    declare({
      path: '/dms/node/onboarding/offboard',
      request: noPayload,
      handle: () => {
        const done = onboarding.offboard()
        return done.ok ? { success: true } : { success: false, error: done.error.message }
      },
      onError: ({ message }) => ({ success: false, error: message })
    }),
    declare({
      path: '/dms/node/onboarding/status',
      request: noPayload,
      handle: () => ({ onboarded: onboarding.status().onboarded })
    })
  ]
}

function amount(path: string, read: (signal: AbortSignal) => Resources | Promise<Resources>): Declaration {
  return declare({
    path,
    request: noPayload,
    handle: async ({ signal }) => ({ OK: true, Resources: await read(signal) }),
    onError: ({ message }) => ({ OK: false, Resources: NO_RESOURCES, error: message })
  })
}

function onboardingConfig(is_onboarded: boolean, onboarded_resources: Resources): Record<string, unknown> {
  return { is_onboarded, onboarded_resources }
}
