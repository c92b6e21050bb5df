import type { AbortOptions, Result } from '../../../types/index.ts'
import { MAX_ENSEMBLE_JSON_BYTES } from '../constants.ts'
import type { Ensemble } from '../types.ts'
import { Field } from './field.ts'
import { expandMarks } from './marks.ts'
import { type EnsembleProblem, Problems } from './problem.ts'
import { readRoot } from './root.ts'
import { readTree } from './tree.ts'
import { ModulePacker } from './wasm.ts'

/** What a file is read with. */
export interface ParseOptions extends AbortOptions {
  /** As the user gave it; stands in front of each problem. */
  readonly fileName: string
  /** Directory of the file, absolute: modules and `${file:…}` marks start here. */
  readonly directory: string
  /** For `${NAME}` marks. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads a file whole; throws when it cannot. */
  readonly readFile: (path: string, options?: AbortOptions) => Promise<Uint8Array>
  /** Accept `executor: mock`, which runs nothing. Default false. */
  readonly allowMock?: boolean
}

/** An ensemble that passed all rules, and what was odd about its file. */
export interface ParsedEnsemble {
  readonly ensemble: Ensemble
  readonly warnings: EnsembleProblem[]
}

const WHOLE = { span: { start: 0, end: 1 }, path: '' }

/**
 * Reads an ensemble file (YAML, or JSON) to the structure that is sent (deployment §1). All mistakes are found in
 * one go, each with its line; the warnings are among them, as a misspelt key is often why another is missing. The
 * promise rejects only when the signal fires.
 */
export async function parseEnsembleFile(
  text: string,
  options: ParseOptions
): Promise<Result<ParsedEnsemble, EnsembleProblem[]>> {
  const problems = new Problems(options.fileName, text)
  const ensemble = await read(text, options, problems)
  options.signal?.throwIfAborted()
  if (ensemble === undefined || problems.errors.length > 0) return { ok: false, error: problems.all }
  return { ok: true, value: { ensemble, warnings: problems.warnings } }
}

async function read(text: string, options: ParseOptions, problems: Problems): Promise<Ensemble | undefined> {
  const tree = readTree(text, problems)
  if (tree === undefined) return undefined
  const filled = await expandMarks(tree, options, problems)
  const expected = "an ensemble: a map with 'allocations' and 'nodes'"
  const field = new Field(filled, WHOLE, problems)
  const root = field.required(expected) ? field.map(expected) : undefined
  if (root === undefined) return undefined
  const packer = new ModulePacker(options)
  const ensemble = { v1: await readRoot(root, { packer, allowMock: options.allowMock ?? false }) }
  if (problems.errors.length === 0) checkSize(ensemble, problems)
  return ensemble
}

/** An ensemble that is too large would be refused by the network without a word of why. */
function checkSize(ensemble: Ensemble, problems: Problems): void {
  const bytes = jsonBytes(ensemble)
  if (bytes <= MAX_ENSEMBLE_JSON_BYTES) return
  const parts = Object.entries(ensemble.v1.allocations).map(([name, spec]) => ({
    name,
    bytes: jsonBytes(spec)
  }))
  const largest = parts.sort((a, b) => b.bytes - a.bytes)[0]
  problems.error(WHOLE, {
    expected: `at most ${MAX_ENSEMBLE_JSON_BYTES} bytes, as it must fit in one message`,
    message: `found an ensemble of ${bytes} bytes as JSON, ${largest?.bytes} of them for '${largest?.name}'`,
    hint: 'WASM modules and scripts travel inside the ensemble: strip debug sections, optimise for size, or deploy in parts'
  })
}

/** Bytes of a value as Go writes it, which spends six on each `<`, `>` and `&`. */
function jsonBytes(value: unknown): number {
  const json = JSON.stringify(value)
  return Buffer.byteLength(json) + 5 * (json.match(/[<>&]/g)?.length ?? 0)
}
