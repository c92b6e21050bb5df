import type { Config } from '../../../config/index.ts'
import {
  type CapabilityFile,
  chainExpiry,
  chainOf,
  type KeyLookup,
  lookUpIssuers,
  revocationKey
} from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { errorMessage } from '../../../utils/index.ts'
import type { Cli, Handler } from '../../cli/command.ts'
import { EXIT, UsageError } from '../../cli/errors.ts'
import { printPlain } from '../../cli/go-print.ts'
import { oneLine } from '../../cli/printable.ts'
import { loadContextFile } from '../../session/context-file.ts'
import { keyLookup } from '../../session/did-keys.ts'
import { loadSettings } from '../../session/settings.ts'
import { type SignerRequest, signsUnasked } from '../../session/signer.ts'
import { contextNameOf } from '../../session/wallet-name.ts'
import { type KnownContext, namesOf, readContexts } from '../contexts.ts'
import { readFormat } from '../format.ts'
import { chartOf } from './chart.ts'
import { findDead } from './dead.ts'
import { findEnding, findShadowed, MAX_COMPARED } from './ending.ts'
import type { LINT_FLAGS } from './flags.ts'
import { printFindings } from './print.ts'
import type { Chart, Finding } from './types.ts'
import { findWide } from './wide.ts'

type Run = Parameters<Handler<typeof LINT_FLAGS>['run']>[0]

/** `nunet cap lint`. */
export const capLintHandler: Handler<typeof LINT_FLAGS> = {
  async run(run) {
    const { cli, flags, globals } = run
    const output = readFormat(flags.output)
    checkTimes(flags)
    const config = loadSettings(cli, globals)
    const unreadable: string[] = []
    const known = await readContexts(cli, config, unreadable)
    const files = await chosenFiles(run, config, known)
    const lookup = keyLookup(cli, config)
    const nowNs = cli.clock.nowNs()
    const surroundings = {
      nowNs,
      keyOf: lookup.keyOf,
      limits: {
        warnNs: toNs(Math.max(flags.warn, flags.error)),
        errorNs: toNs(flags.error),
        maxLifeNs: toNs(flags['max-life'])
      },
      names: namesOf(known),
      trusted: trustedBy([...known.flatMap(({ file }) => file ?? []), ...files.values()], known, nowNs)
    }
    const findings: Finding[] = []
    for (const [name, file] of files) {
      await lookUpAll(cli, file, lookup)
      const chart = chartOf(name, file, surroundings)
      warnOfLimit(cli, chart)
      findings.push(...lintChart(chart))
    }
    // Of one that was not asked for nothing need be known.
    const missed = flags.all ? unreadable : []
    cli.terminal.out(
      output === 'json'
        ? `${printPlain({ contexts: [...files.keys()], unreadable: missed, findings })}\n`
        : printFindings(findings, cli.terminal, surroundings.names)
    )
    if (output === 'text') cli.terminal.err(summary(findings, files.size, missed.length))
    // Where nothing could be looked at, nothing is well.
    return missed.length > 0 || findings.some(({ severity }) => severity === 'error') ? EXIT.failed : EXIT.ok
  }
}

const ORDER = { error: 0, warning: 1, info: 2 } as const

/** All findings of one context, the gravest first. */
export function lintChart(chart: Chart): Finding[] {
  // What can go needs no other mending, so it comes first among the equally grave.
  const found = [...findDead(chart), ...findEnding(chart), ...findShadowed(chart), ...findWide(chart)]
  return found.sort((a, b) => ORDER[a.severity] - ORDER[b.severity])
}

/** The files to look at. With --all a sealed one that does not open without asking is told and left out. */
async function chosenFiles(
  { cli, flags, globals }: Run,
  config: Config,
  known: readonly KnownContext[]
): Promise<Map<string, CapabilityFile>> {
  const files = new Map<string, CapabilityFile>()
  if (!flags.all) {
    const request = { config, globals, name: flags.context }
    files.set(contextNameOf(flags.context), await loadContextFile(cli, request))
    return files
  }
  for (const { name, file } of known) {
    const found = file ?? (await openSealed(cli, { config, globals, name }))
    if (found !== undefined) files.set(name, found)
  }
  return files
}

/** Keys of several contexts may have several passphrases, of which one can be given. */
async function openSealed(cli: Cli, request: SignerRequest): Promise<CapabilityFile | undefined> {
  const leaveOut = (reason: string): void =>
    cli.terminal.err(
      `warning: context '${oneLine(request.name)}' is sealed and left out: ${oneLine(reason)}\n`
    )
  try {
    if (await signsUnasked(cli, request)) return await loadContextFile(cli, request)
    leaveOut('set DMS_PASSPHRASE')
  } catch (error) {
    cli.signal.throwIfAborted()
    leaveOut(errorMessage(error))
  }
  return undefined
}

/** Owners of contexts here, and whom these contexts trust. */
function trustedBy(
  files: readonly CapabilityFile[],
  known: readonly KnownContext[],
  nowNs: bigint
): ReadonlySet<Did> {
  const trusted = new Set(known.map(({ did }) => did))
  for (const { did, roots, require, revoke } of files) {
    const revoked = new Set(revoke.map(revocationKey))
    const inForce = require.filter(
      token => chainExpiry(token) >= nowNs && !chainOf(token).some(link => revoked.has(revocationKey(link)))
    )
    for (const party of [did, ...roots, ...inForce.map(({ subject }) => subject)]) trusted.add(party)
  }
  return trusted
}

async function lookUpAll(cli: Cli, file: CapabilityFile, lookup: KeyLookup): Promise<void> {
  await lookUpIssuers([...file.revoke, ...file.require, ...file.provide], lookup, { signal: cli.signal })
}

function warnOfLimit(cli: Cli, { name, entries }: Chart): void {
  for (const list of ['require', 'provide'] as const) {
    if (entries.filter(entry => entry.list === list).length > MAX_COMPARED)
      cli.terminal.err(`warning: only ${MAX_COMPARED} ${list} anchors of '${oneLine(name)}' are compared\n`)
  }
}

function checkTimes(flags: Run['flags']): void {
  for (const name of ['warn', 'error', 'max-life'] as const)
    if (flags[name] < 0) throw new UsageError(`--${name} must not be negative`)
}

function summary(findings: readonly Finding[], contexts: number, unreadable: number): string {
  const missed = unreadable === 0 ? '' : `; ${unreadable} could not be read`
  const where = `${contexts === 1 ? '1 context' : `${contexts} contexts`}${missed}`
  if (findings.length === 0) return `nothing to mend in ${where}\n`
  const count = (severity: Finding['severity']): number =>
    findings.filter(finding => finding.severity === severity).length
  return `${count('error')} errors, ${count('warning')} warnings, ${count('info')} notes in ${where}\n`
}

function toNs(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6))
}
