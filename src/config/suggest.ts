import { KEYS, LEGACY_KEYS, SECTIONS } from './keys.ts'

/** Longest text compared; a longer one is no typing mistake. */
const LONGEST = 80

/** The known key nearest to a wrong one, if one is near enough to be meant. */
export function suggestKey(wrong: string): string | undefined {
  return nearest(wrong.toLowerCase(), [...KEYS.map(row => row.key), ...SECTIONS, ...LEGACY_KEYS.keys()])
}

/** The known environment variable nearest to a wrong one. */
export function suggestVariable(wrong: string): string | undefined {
  return nearest(
    wrong,
    KEYS.map(row => row.variable)
  )
}

/** The candidate with the fewest edits, at most a third of the text; or the only one that ends the same way. */
export function nearest(wrong: string, candidates: readonly string[]): string | undefined {
  if (wrong.length > LONGEST) return undefined
  const bound = Math.max(2, Math.floor(wrong.length / 4))
  let best: string | undefined
  let fewest = bound + 1
  for (const candidate of candidates) {
    const edits = editDistance(wrong, candidate)
    if (edits < fewest) [best, fewest] = [candidate, edits]
  }
  if (best !== undefined) return best
  const last = wrong.slice(wrong.lastIndexOf('.') + 1)
  const sameEnd = candidates.filter(candidate => candidate.endsWith(`.${last}`))
  return sameEnd.length === 1 ? sameEnd[0] : undefined
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let older: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let edits = Math.min((row[j - 1] ?? 0) + 1, (previous[j] ?? 0) + 1, (previous[j - 1] ?? 0) + same)
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, (older[j - 2] ?? edits) + 1)
      row.push(edits)
    }
    older = previous
    previous = row
  }
  return previous[b.length] ?? 0
}
