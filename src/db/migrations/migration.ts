/** One step of the schema. A released step is never edited: a correction is a further step. */
export interface Migration {
  /** 1, 2, 3 … without a gap; the number in the file name. */
  readonly version: number
  /** What it brings, for the log. */
  readonly title: string
  readonly sql: string
}
