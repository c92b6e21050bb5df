/** The only reader of `process.env` in the program. */

import { homedir } from 'node:os'
import { KEYS } from './keys.ts'
import { Secret } from './secret.ts'

const PREFIX = 'DMS_'
const PASSPHRASE = 'DMS_PASSPHRASE'

/** What the program takes from its environment. */
export interface Environment {
  /** `DMS_PASSPHRASE`, when it is set and not empty: no prompt appears then. */
  readonly passphrase: Secret | undefined
  /** `EDITOR`, for `nunet config edit`. */
  readonly editor: string | undefined
  readonly homeDirectory: string
  /** `XDG_CONFIG_HOME`, when it is an absolute path. */
  readonly configHome: string | undefined
  /** `XDG_RUNTIME_DIR`, when it is an absolute path: a directory of this user that is gone after the last logout. */
  readonly runtimeDirectory: string | undefined
  /** `NO_COLOR` is set and not empty (no-color.org), or the terminal is dumb. */
  readonly noColour: boolean
  /** `FORCE_COLOR` is set to something else than 0. */
  readonly forceColour: boolean
  /** `CI` is set: nobody is there to answer a prompt. */
  readonly ci: boolean
  /** `DOCKER_HOST`, as the Docker tools read it. */
  readonly dockerHost: string | undefined
  /** `GOLOG_LOG_LEVEL`: level of the network library's own messages. */
  readonly libraryLogLevel: string | undefined
  /** Values of `DMS_<SECTION>_<KEY>`. */
  readonly settings: EnvironmentSettings
  /**
   * All variables, for `${env:NAME}` in ensemble files. Without those that hold secrets of this program: an
   * ensemble file from elsewhere must not carry the passphrase to a stranger's machine.
   */
  readonly variables: Readonly<Record<string, string>>
}

/** The variables that stand for configuration keys. A class, so that printing it shows no values. */
export class EnvironmentSettings {
  readonly #values: ReadonlyMap<string, string>

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  names(): string[] {
    return [...this.#values.keys()]
  }
}

/** Reads the environment once. */
export function readEnvironment(
  raw: Readonly<Record<string, string | undefined>> = process.env
): Environment {
  const variables = new Map(
    Object.entries(raw).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
  const text = (name: string): string | undefined => variables.get(name) || undefined
  const passphrase = text(PASSPHRASE)
  const configHome = text('XDG_CONFIG_HOME')
  const runtimeDirectory = text('XDG_RUNTIME_DIR')
  const secretNames = new Set([PASSPHRASE, ...KEYS.filter(key => key.secret).map(key => key.variable)])
  const settings = [...variables].filter(([name]) => name.startsWith(PREFIX) && name !== PASSPHRASE)
  return {
    passphrase: passphrase === undefined ? undefined : new Secret(passphrase),
    editor: text('EDITOR'),
    homeDirectory: text('HOME') ?? homedir(),
    configHome: configHome?.startsWith('/') ? configHome : undefined,
    runtimeDirectory: runtimeDirectory?.startsWith('/') ? runtimeDirectory : undefined,
    noColour: text('NO_COLOR') !== undefined || text('TERM') === 'dumb',
    forceColour: text('FORCE_COLOR') !== undefined && text('FORCE_COLOR') !== '0',
    ci: text('CI') !== undefined && text('CI') !== 'false',
    dockerHost: text('DOCKER_HOST'),
    libraryLogLevel: text('GOLOG_LOG_LEVEL'),
    settings: new EnvironmentSettings(new Map(settings)),
    variables: Object.fromEntries([...variables].filter(([name]) => !secretNames.has(name)))
  }
}
