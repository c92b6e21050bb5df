/**
 * Provision scripts: run in the container, in order, before its main command. They travel as an archive into
 * the created container, so nothing lies about on the host and no quoting is needed: the main command stays
 * an argument vector. A script that fails stops the start: the main command does not run.
 */

import { bytesToUtf8, utf8ToBytes } from '../../utils/index.ts'
import type { ExecutionRequest } from '../types.ts'
import { PROVISION_DIRECTORY } from './constants.ts'
import { firstTarContent, packTar } from './tar.ts'

type Scripts = ExecutionRequest['provisionScripts']

const FAILED_FILE = 'failed'

/** Entrypoint that runs the scripts and then becomes the main command, given as its arguments. */
export const PROVISION_ENTRYPOINT = ['/bin/sh', `/${PROVISION_DIRECTORY}/run.sh`] as const

/** Path in the container of the file that names a failed script. */
export const PROVISION_FAILED_PATH = `/${PROVISION_DIRECTORY}/${FAILED_FILE}`

/** The archive to unpack in the container's root. */
export function provisionArchive(scripts: Scripts): Uint8Array {
  const directory = PROVISION_DIRECTORY
  return packTar([
    // World-writable like /tmp: the user of the image has to be able to note a failure.
    { path: `${directory}/`, mode: 0o1777, content: new Uint8Array() },
    ...scripts.map(({ content }, index) => ({ path: `${directory}/${index}`, mode: 0o755, content })),
    { path: `${directory}/run.sh`, mode: 0o755, content: utf8ToBytes(runner(scripts)) }
  ])
}

/** The failure noted by the runner, as one line for the user. The workload could have forged it; it fools only its owner. */
export function provisionFailure(archive: Uint8Array): string | undefined {
  const [code, name] = bytesToUtf8(firstTarContent(archive).slice(0, 1024)).trim().split(/ (.*)/s)
  if (code === undefined || !/^\d{1,3}$/.test(code) || name === undefined) return undefined
  return `provision script '${name.replace(/\s+/g, ' ')}' failed with code ${code}`
}

function runner(scripts: Scripts): string {
  const steps = scripts.map(({ name }, index) => `run ${index} ${shellQuote(name)}`)
  return `#!/bin/sh
run() {
  script=/${PROVISION_DIRECTORY}/$1
  # a script without an interpreter line is one for the shell, as execvp(3) has it
  case "$(head -c 2 "$script" 2>/dev/null)" in
    '#!') "$script" ;;
    *) /bin/sh "$script" ;;
  esac
  code=$?
  if [ $code -ne 0 ]; then
    printf '%s %s\\n' "$code" "$2" > ${PROVISION_FAILED_PATH} 2>/dev/null
    printf "nunet: provision script '%s' failed with code %s\\n" "$2" "$code" >&2
    exit $code
  fi
}
${steps.join('\n')}
exec "$@"
`
}

/** One word of a POSIX shell, whatever is in it. */
function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
