/**
 * Why something was refused: a value, not an exception, and a tree, so that a reader sees which link of a
 * chain broke by which rule. Printed by `renderRefusal` in `utils`.
 */
export interface Refusal {
  /** Stable, upper case, prefixed by domain, for example `UCAN_EXPIRED`. */
  readonly code: string
  /** One line, lower case, with the value and what was expected. */
  readonly message: string
  /** Facts for programs: ids, amounts, times. JSON-safe. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly causes?: readonly Refusal[]
}
