import type { FlagTable } from './flags.ts'

/** Flags of every command. Those bound to a configuration key override file and environment (cli-api-config §1.1). */
export const GLOBAL_FLAGS = {
  config: { kind: 'string', description: 'path of the configuration file, instead of the search' },
  'rest-addr': { kind: 'string', description: 'address of the REST server' },
  'rest-port': { kind: 'uint', description: 'port of the REST server' },
  'user-dir': { kind: 'string', description: 'directory of keys and capabilities' },
  'work-dir': { kind: 'string', description: 'directory of deployments and logs' },
  'data-dir': { kind: 'string', description: 'directory of the database' },
  debug: { kind: 'bool', description: 'show what happens, and stack traces of errors' },
  'profiler-enabled': { kind: 'bool', description: 'accepted, without effect', hidden: true },
  'profiler-addr': { kind: 'string', description: 'accepted, without effect', hidden: true },
  'profiler-port': { kind: 'uint', description: 'accepted, without effect', hidden: true },
  'passphrase-fd': { kind: 'uint', description: 'read the passphrase from this file descriptor' },
  'no-input': { kind: 'bool', description: 'never ask anything' },
  'no-color': { kind: 'bool', description: 'no colours (also NO_COLOR)' },
  quiet: { kind: 'bool', description: 'no progress and no hints' },
  yes: { kind: 'bool', description: 'answer every question with yes' },
  help: { kind: 'bool', short: 'h', description: 'show help', hidden: true }
} as const satisfies FlagTable
