/** The documentation page of the configuration, made from the table; checked in as `docs/config.md`. */

import type { ConfigKey } from './key.ts'
import { KEYS, LEGACY_KEYS } from './keys.ts'
import { expectedOf } from './values.ts'

/** A global flag of the command line, from the table. */
export interface GlobalFlag {
  /** Without dashes. */
  readonly name: string
  readonly type: 'string' | 'integer' | 'boolean'
  /** Key it sets; absent for `config`. */
  readonly key?: string
  readonly doc: string
  readonly defaultText: string
}

/** The global flags (cli-api-config §1.1), for the definitions of the command line. */
export const GLOBAL_FLAGS: readonly GlobalFlag[] = [
  { name: 'config', type: 'string', doc: 'Configuration file to use; replaces the search.', defaultText: '' },
  ...KEYS.flatMap(row => (row.flag === undefined ? [] : [toFlag(row, row.flag)]))
]

function toFlag(row: ConfigKey, name: string): GlobalFlag {
  const type = row.type === 'integer' || row.type === 'boolean' ? row.type : 'string'
  return { name, type, key: row.key, doc: row.doc, defaultText: row.defaultText ?? String(row.default) }
}

/** The page as Markdown. */
export function configReference(): string {
  return `${[
    '# Configuration',
    '',
    'Made from `src/config/keys.ts` by `npm run docs`; do not edit.',
    '',
    'The file is called `dms_config.json`. The first one found is used, nothing is merged: the working directory,',
    '`~/.nunet`, `$XDG_CONFIG_HOME/nunet` (or `~/.config/nunet`), `/etc/nunet`. `--config FILE` replaces the search.',
    'Flags win over environment variables, those over the file, the file over the defaults. Keys are read without',
    'regard to case; an unknown key is an error. `nunet config get` shows what is in effect, `nunet config set` changes',
    'the file.',
    '',
    'Each key has an environment variable: prefix `DMS_`, dots become underscores, upper case, for example',
    '`DMS_REST_PORT=10000`. Lists are written with commas; a list variable that is set but empty is the empty list.',
    'A leading `~` in a path is the home directory.',
    '',
    'Keys marked *later* are accepted and kept, and have no effect in this release.',
    '',
    ...table(KEYS),
    '',
    '## Keys of early releases',
    '',
    'Still read from a file; `nunet config set` writes the new names and keeps a copy of the old file.',
    '',
    '| Old key | Key |',
    '| --- | --- |',
    ...[...LEGACY_KEYS].map(([old, { key }]) => `| \`${old}\` | \`${key}\` |`)
  ].join('\n')}\n`
}

function table(rows: readonly ConfigKey[]): string[] {
  return ['| Key | Takes | Default | Flag | Meaning |', '| --- | --- | --- | --- | --- |', ...rows.map(toRow)]
}

function toRow(row: ConfigKey): string {
  const flag = row.flag === undefined ? '' : `\`--${row.flag}\``
  const remarks = [row.doc, row.secret ? '*Secret.*' : '', row.effective ? '' : '*Later.*'].filter(
    text => text !== ''
  )
  return `| \`${row.key}\` | ${expectedOf(row)} | ${defaultOf(row)} | ${flag} | ${remarks.join(' ')} |`
}

function defaultOf(row: ConfigKey): string {
  if (row.defaultText !== undefined) return `\`${row.defaultText}\``
  if (Array.isArray(row.default)) return row.default.map(item => `\`${item}\``).join('<br>')
  return row.default === '' ? 'empty' : `\`${String(row.default)}\``
}
