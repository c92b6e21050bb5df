import { loadConfig } from '../../config/index.ts'
import { errorMessage, NuError } from '../../utils/index.ts'
import type { Handler } from '../cli/command.ts'
import { EXIT } from '../cli/errors.ts'
import { printPlain } from '../cli/go-print.ts'
import { oneLine } from '../cli/printable.ts'
import { type Colour, paint } from '../cli/style.ts'
import type { Terminal } from '../cli/terminal.ts'
import { readOutput } from '../deployments/connect.ts'
import { configSources } from '../session/settings.ts'
import { type Check, type CheckStatus, type Finding, finding, type Patient } from './check.ts'
import type { DOCTOR_FLAGS } from './flags.ts'
import { checkCapabilities, checkKeys, checkUserDirectory } from './identity.ts'
import { checkClock, checkDisk, checkDocker, checkKvm, checkNodeVersion, checkTun } from './machine.ts'
import { checkDaemon } from './network.ts'

const CHECKS: readonly (readonly [string, Check])[] = [
  ['user directory', checkUserDirectory],
  ['keys', checkKeys],
  ['capabilities', checkCapabilities],
  ['clock', checkClock],
  ['disk', checkDisk],
  ['Docker', checkDocker],
  ['TUN', checkTun],
  ['KVM', checkKvm],
  ['daemon', checkDaemon]
]

/** `nunet doctor`. */
export const doctorHandler: Handler<typeof DOCTOR_FLAGS> = {
  async run({ cli, flags, globals }) {
    const output = readOutput(flags.output)
    const findings: Finding[] = []
    const tell = (found: readonly Finding[]): void => {
      findings.push(...found)
      if (output === 'table') for (const each of found) cli.terminal.out(formatFinding(cli.terminal, each))
    }
    const node = { cli, globals, nodeContext: flags.context, userContext: flags.user }
    tell([checkNodeVersion()])
    try {
      const loaded = loadConfig(configSources(cli, globals))
      const odd = [
        ...loaded.warnings,
        ...loaded.legacyKeys.map(key => `'${key}' is a key of an early release`)
      ]
      const detail = odd[0] ?? loaded.path ?? 'defaults, no file'
      tell([finding('configuration', odd.length > 0 ? 'warn' : 'ok', detail, 'see docs/config.md')])
      for (const [name, check] of CHECKS) tell(await examine(name, check, { ...node, config: loaded.config }))
    } catch (error) {
      cli.signal.throwIfAborted()
      tell([
        finding(
          'configuration',
          'fail',
          errorMessage(error),
          (error instanceof NuError && error.hint) || 'correct the file'
        )
      ])
    }
    if (output === 'json') cli.terminal.out(`${printPlain(findings)}\n`)
    return findings.some(({ status }) => status === 'fail') ? EXIT.failed : EXIT.ok
  }
}

/** A check that breaks is itself a finding; the others go on. */
async function examine(name: string, check: Check, patient: Patient): Promise<Finding[]> {
  try {
    return [await check(patient)].flat()
  } catch (error) {
    patient.cli.signal.throwIfAborted()
    return [
      finding(name, 'fail', errorMessage(error), (error instanceof NuError && error.hint) || 'look into it')
    ]
  }
}

const COLOURS: Readonly<Record<CheckStatus, Colour>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
  skip: 'dim'
}
const NAME_WIDTH = 22

function formatFinding(terminal: Terminal, { name, status, detail, fix }: Finding): string {
  const head = `${paint(terminal, 'out', COLOURS[status], status.padEnd(4))}  ${name.padEnd(NAME_WIDTH)}  ${oneLine(detail)}\n`
  return fix === '' ? head : `${head}      ${''.padEnd(NAME_WIDTH)}  → ${oneLine(fix)}\n`
}
