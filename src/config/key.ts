/** How one configuration key is described. Everything else follows from these rows. */

/**
 * Types a key may have. `path`: a text whose leading `~` is the home directory. `url`: empty, or an address of http or
 * https without user, query and fragment. `any`: kept as it is.
 */
export type ConfigType = 'string' | 'path' | 'url' | 'integer' | 'boolean' | 'list' | 'any'

/** A default that depends on others: `at` gives the value in effect of another key. */
export interface DefaultSources {
  readonly homeDirectory: string
  readonly at: (key: string) => string
}

/** One row of the table. */
export interface ConfigKey {
  /** Dotted, lower case. */
  readonly key: string
  readonly type: ConfigType
  readonly default: unknown
  /** Computes the default where it depends on a directory. */
  readonly derive?: (sources: DefaultSources) => string
  /** How the documentation writes a derived default. */
  readonly defaultText?: string
  readonly doc: string
  /** Name of the environment variable. */
  readonly variable: string
  /** Name of the global flag, without dashes (cli-api-config §1.1). */
  readonly flag?: string
  /** Bounds of an integer, both included. */
  readonly minimum?: number
  readonly maximum?: number
  /** Allowed texts, compared without case. */
  readonly choices?: readonly string[]
  /** Kept out of `Config` and never printed. */
  readonly secret: boolean
  /** Whether this release acts on it; the others are accepted and kept. */
  readonly effective: boolean
}

/** Facts of a key beyond name, type, default and text. */
export type KeyFacts = Partial<
  Pick<
    ConfigKey,
    'derive' | 'defaultText' | 'flag' | 'minimum' | 'maximum' | 'choices' | 'secret' | 'effective'
  >
>

/** Makes a row; the environment variable follows from the key (cli-api-config §1.2). */
export function key(
  name: string,
  type: ConfigType,
  value: unknown,
  doc: string,
  facts: KeyFacts = {}
): ConfigKey {
  const variable = `DMS_${name.replaceAll('.', '_').toUpperCase()}`
  return { key: name, type, default: value, doc, variable, secret: false, effective: true, ...facts }
}
