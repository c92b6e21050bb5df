import type { Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'

/**
 * Sorts a dependency graph into levels: first what depends on nothing, then what depends on earlier levels only.
 * Names keep the order of the map inside a level. A cycle (`ENSEMBLE_CYCLE`, its members in the details) or a
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
  const levels: string[][] = []
  const done = new Set<string>()
  let waiting = [...graph.keys()]
  while (waiting.length > 0) {
    const level = waiting.filter(name => (graph.get(name) ?? []).every(need => done.has(need)))
    if (level.length === 0) return refuse(cycleRefusal(graph, waiting))
    for (const name of level) done.add(name)
    levels.push(level)
    waiting = waiting.filter(name => !done.has(name))
  }
  return ok(levels)
}

/** Follows unmet dependencies until a name comes up twice: that is the cycle, without what merely hangs on it. */
function cycleRefusal(graph: ReadonlyMap<string, readonly string[]>, waiting: readonly string[]) {
  const stuck = new Set(waiting)
  const walk: string[] = []
  let name = waiting[0]
  while (name !== undefined && !walk.includes(name)) {
    walk.push(name)
    name = graph.get(name)?.find(need => stuck.has(need))
  }
  const cycle = walk.slice(name === undefined ? 0 : walk.indexOf(name))
  const shown = [...cycle, cycle[0]].map(part => `'${part}'`).join(' → ')
  return refusal('ENSEMBLE_CYCLE', `allocations wait for each other: ${shown}`, { details: { cycle } })
}
