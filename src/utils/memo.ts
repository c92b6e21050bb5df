/** A pure function that remembers its newest answers. Bounded: the entry made first goes first. */
export function memoize<K, V>(limit: number, compute: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>()
  return key => {
    const found = known.get(key)
    if (found !== undefined) return found
    const value = compute(key) // a throw is not remembered
    if (known.size >= limit) {
      const oldest = known.keys().next()
      if (!oldest.done) known.delete(oldest.value)
    }
    known.set(key, value)
    return value
  }
}
