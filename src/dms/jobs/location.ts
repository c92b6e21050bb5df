import type { LocationConstraints, LocationSpec } from '../ensemble/index.ts'

/**
 * Whether a place satisfies the constraints (deployment §1.4.8): one `accept` entry must match when there are any,
 * and no `reject` entry may. Text is compared exactly; only what a constraint gives is compared.
 */
export function satisfiesLocation(place: LocationSpec, constraints: LocationConstraints): boolean {
  const accept = constraints.accept ?? []
  if (accept.length > 0 && !accept.some(entry => matches(place, entry))) return false
  return !(constraints.reject ?? []).some(entry => matches(place, entry))
}

function matches(place: LocationSpec, constraint: LocationSpec): boolean {
  const members = ['continent', 'country', 'city', 'asn', 'isp'] as const
  return members.every(member => !constraint[member] || constraint[member] === place[member])
}

/** For people: `Europe, DE`, or `an unknown place`. */
export function formatLocation(place: LocationSpec): string {
  return [place.continent, place.country, place.city].filter(Boolean).join(', ') || 'an unknown place'
}
