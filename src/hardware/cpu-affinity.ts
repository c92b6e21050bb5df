/**
 * Number of CPUs this process may run on, from `Cpus_allowed_list` in /proc/self/status, for example
 * `0-3,8,10-11`. `undefined` when the text does not say.
 */
export function parseAllowedCpus(status: string): number | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1]
  if (list === undefined) return undefined
  let count = 0
  for (const part of list.split(',')) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (range === null) return undefined
    const first = Number(range[1])
    count += Number(range[2] ?? first) - first + 1
  }
  return count > 0 ? count : undefined
}
