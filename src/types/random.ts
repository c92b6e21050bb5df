/** The only source of randomness, so that a simulation is repeatable by its seed. */
export interface RandomSource {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array
  /** A whole number in `[0, bound)`, without modulo bias. `bound` is 1 to 2^32. */
  below(bound: number): number
  /** A version 4 UUID (RFC 9562 §5.4), lower case. */
  uuid(): string
}
