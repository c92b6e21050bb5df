/** Names older documents and other tools use for a key, where spelling alone would not find it. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  args: 'cmd',
  command: 'cmd',
  env: 'environment',
  gpu: 'gpus',
  memory: 'vram',
  volumes: 'volume',
  workdir: 'working_directory'
}

/** The known name someone who wrote `name` may have meant, or `undefined`. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const folded = fold(name)
  const other = Object.hasOwn(OTHER_NAMES, folded) ? OTHER_NAMES[folded] : undefined
  if (other !== undefined && known.includes(other)) return other
  let best: string | undefined
  let bestDistance = Math.min(3, Math.floor(name.length / 3) + 1)
  for (const candidate of known) {
    const distance = editDistance(folded, fold(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '')
}

/** Insertions, deletions and changes that turn one word into the other. Long words cost a constant. */
function editDistance(a: string, b: string): number {
  if (a.length > 40) return a.length
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
