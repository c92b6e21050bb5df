import { inspect } from 'node:util'

const REDACTED = '[redacted]'

/** A text that must not be seen: prints, serialises and inspects as `[redacted]`. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself. Call it where the secret is used, never to log or store it. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
