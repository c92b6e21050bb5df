/**
 * How the node is: `/dms/node/status` (cli-api-config §6.2), in the form of later releases of the existing system, one
 * member per peer id. Its `config` stays empty: there the whole configuration went out, keys of other services included.
 * The member `capabilities`, and `Capabilities` of `/public/status`, are additions.
 */

import type { Hardware } from '../../../hardware/index.ts'
import type { Network } from '../../../network/index.ts'
import type { Did } from '../../../types/index.ts'
import { isoTime } from '../../../utils/index.ts'
import type { CapabilityHealth, ExpiryWatch, HealthIssue } from '../../expiry/index.ts'
import type { Onboarding } from '../../onboarding/index.ts'
import { NO_RESOURCES, type ResourceManager } from '../../resources/index.ts'
import { type Declaration, declare, noPayload } from '../declare.ts'

/** Issues in one answer, the soonest first: an answer stays far below the size of a message. */
const MAX_ISSUES = 16
/** Names of one issue in an answer, and characters of each. */
const MAX_NAMES = 8
const MAX_NAME_LENGTH = 256
/** Renewal steps of one issue in an answer: a chain may be long. */
const MAX_STEPS = 16

export interface StatusBehaviorDeps {
  hardware: Hardware
  network: Network
  onboarding: Onboarding
  resources: ResourceManager
  did: Did
  expiry: Pick<ExpiryWatch, 'health'>
}

export function statusBehaviors(deps: StatusBehaviorDeps): Declaration[] {
  const { hardware, network, onboarding, resources, did, expiry } = deps
  return [
    declare({
      path: '/dms/node/status',
      request: noPayload,
      handle: async ({ signal }) => ({
        [network.peerId]: {
          hostname: '',
          did,
          network: {
            interfaces: [],
            p2p: { id: network.peerId, listen_addr: network.addresses().join(', ') }
          },
          onboarded: onboarding.status().onboarded,
          resources: {
            total: await hardware.spec({ signal }),
            onboarded: resources.onboarded() ?? NO_RESOURCES,
            allocated: resources.allocated(),
            free: resources.free()
          },
          config: {},
          errors: null,
          capabilities: healthReport(expiry.health())
        }
      }),
      onError: ({ message }) => ({ [network.peerId]: { did, errors: [message] } })
    })
  ]
}

/** For everybody who may ask: whether it lasts, not who is concerned. */
export function healthSummary({ status, untilMs }: CapabilityHealth): Record<string, unknown> {
  return { Status: status, ...(untilMs === undefined ? {} : { Until: time(untilMs) }) }
}

/** For the owner: each issue with what it takes away and who has to do what. */
function healthReport(health: CapabilityHealth): Record<string, unknown> {
  return {
    ...healthSummary(health),
    Issues: health.issues.slice(0, MAX_ISSUES).map(reportIssue),
    More: Math.max(0, health.issues.length - MAX_ISSUES)
  }
}

function reportIssue(issue: HealthIssue): Record<string, unknown> {
  const { kind, status, endsAtMs, subject, capabilities, topics, effect, renewal, failure } = issue
  return {
    Kind: kind,
    Status: status,
    Ends: time(endsAtMs),
    Subject: subject,
    Capabilities: some(capabilities),
    Topics: some(topics),
    Effect: effect,
    Renewal: renewal.slice(0, MAX_STEPS).map(({ by, command }) => ({ By: by, Command: command })),
    ...(failure === undefined ? {} : { Failure: failure })
  }
}

function some(names: readonly string[]): string[] {
  return names.slice(0, MAX_NAMES).map(name => name.slice(0, MAX_NAME_LENGTH))
}

/** The last time that a date can show is far beyond any node's life. */
function time(ms: number): string {
  return isoTime(Math.min(ms, 8_640_000_000_000_000))
}
