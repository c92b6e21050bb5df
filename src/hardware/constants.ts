/** Distance of the two samples CPU use is computed from, in milliseconds: twenty ticks of the kernel's counter. */
export const CPU_SAMPLE_MS = 200

/** A measured CPU use is good for this long, in milliseconds: bids in a burst share one measurement. */
export const CPU_USAGE_FRESH_MS = 1000

/** Longest text read from /proc or /sys, in bytes: /proc/cpuinfo of a thousand cores is 1.5 MB. */
export const MAX_TEXT_BYTES = 4 * 2 ** 20
