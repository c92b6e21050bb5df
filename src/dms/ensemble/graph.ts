import type { Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'

/**
 * Sorts a dependency graph into levels: first what depends on nothing, then what depends on earlier levels only.
 * The first level is in the order of the map. A cycle (`ENSEMBLE_CYCLE`, its members in the details) or a
 * name that is not a key (`ENSEMBLE_UNKNOWN_NAME`) is refused.
 */
export function dependencyLevels(graph: ReadonlyMap<string, readonly string[]>): Result<string[][]> {
  for (const [name, needs] of graph) {
    const unknown = needs.find(need => !graph.has(need))
    if (unknown !== undefined) {
      const message = `'${name}' depends on '${unknown}', which is not an allocation of the same node`
      return refuse(refusal('ENSEMBLE_UNKNOWN_NAME', message))
    }
  }
  const unmet = new Map([...graph].map(([name, needs]) => [name, new Set(needs).size]))
  const dependents = Map.groupBy(
    [...graph].flatMap(([name, needs]) => [...new Set(needs)].map(need => ({ name, need }))),
    ({ need }) => need
  )
  const levels: string[][] = []
  let level = [...graph.keys()].filter(name => unmet.get(name) === 0)
  while (level.length > 0) {
    levels.push(level)
    const next: string[] = []
    for (const { name } of level.flatMap(done => dependents.get(done) ?? [])) {
      const left = (unmet.get(name) ?? 0) - 1
      unmet.set(name, left)
      if (left === 0) next.push(name)
    }
    level = next
  }
  const waiting = [...graph.keys()].filter(name => (unmet.get(name) ?? 0) > 0)
  return waiting.length === 0 ? ok(levels) : refuse(cycleRefusal(graph, waiting))
}

/** Follows unmet dependencies until a name comes up twice: that is the cycle, without what merely hangs on it. */
function cycleRefusal(graph: ReadonlyMap<string, readonly string[]>, waiting: readonly string[]) {
  const stuck = new Set(waiting)
  const walked = new Set<string>()
  let name = waiting[0]
  while (name !== undefined && !walked.has(name)) {
    walked.add(name)
    name = graph.get(name)?.find(need => stuck.has(need))
  }
  const walk = [...walked]
  const cycle = walk.slice(name === undefined ? 0 : walk.indexOf(name))
  const shown = [...cycle.slice(0, 20), cycle[0]].map(part => `'${part}'`).join(' → ')
  return refusal('ENSEMBLE_CYCLE', `allocations wait for each other: ${shown}`, { details: { cycle } })
}
