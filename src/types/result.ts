import type { Refusal } from './refusal.ts'

/** An answer that may be a refusal. Thrown errors are for faults; a refusal is an expected outcome. */
export type Result<T, E = Refusal> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }
