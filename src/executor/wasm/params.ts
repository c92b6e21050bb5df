/** Engine parameters of `type: wasm`. Unknown keys are ignored, as every executor does. */

import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import type { Result } from '../../types/index.ts'
import { base64ToBytes, parseDurationMs, refuse } from '../../utils/index.ts'
import { argumentList, durationText, environmentList, problemsOf } from '../params.ts'
import { MAX_ARGUMENT_BYTES, MAX_MODULE_BYTES, MAX_MODULE_TEXT, MAX_STDIN_BYTES } from './constants.ts'
import { moduleProblems } from './module-check.ts'

const moduleText = z.string({ error: 'expected a module as base64 text' }).max(MAX_MODULE_TEXT)

const wasmParams = z
  .object({
    /** The module's binary as base64 … */
    module: moduleText.nullish(),
    /** … or compressed with gzip before. */
    module_gz: moduleText.nullish(),
    /** Arguments after the program's name. */
    args: argumentList.nullish(),
    environment: environmentList.nullish(),
    stdin: z.string().max(MAX_STDIN_BYTES).nullish(),
    time_limit: durationText.nullish()
  })
  .refine(value => (value.module == null) !== (value.module_gz == null), {
    error: "expected one of 'module' and 'module_gz'",
    path: ['module']
  })
  .refine(value => textBytes(value.args) + textBytes(value.environment) <= MAX_ARGUMENT_BYTES, {
    error: `expected at most ${MAX_ARGUMENT_BYTES} bytes together with the environment`,
    path: ['args']
  })

/** Parameters in the form the executor works with. */
export interface WasmParams {
  readonly module: Uint8Array
  readonly args: readonly string[]
  readonly environment: readonly string[]
  readonly stdin: string
  readonly timeLimitMs?: number
}

/** What is wrong, one line each. */
export function wasmParamProblems(params: Readonly<Record<string, unknown>>): string[] {
  const problems = problemsOf(wasmParams, params)
  if (problems.length > 0) return problems
  const module = readModule(wasmParams.parse(params))
  return module.ok
    ? moduleProblems(module.value).map(problem => `'module': ${problem}`)
    : [module.error.message]
}

/** @throws Error when `wasmParamProblems` would have named a problem. */
export function readWasmParams(params: Readonly<Record<string, unknown>>): WasmParams {
  const value = wasmParams.parse(params)
  const module = readModule(value)
  if (!module.ok) throw new TypeError(module.error.message)
  return {
    module: module.value,
    args: value.args ?? [],
    environment: value.environment ?? [],
    stdin: value.stdin ?? '',
    ...(value.time_limit == null ? {} : { timeLimitMs: parseDurationMs(value.time_limit) })
  }
}

function readModule({ module, module_gz: compressed }: z.infer<typeof wasmParams>): Result<Uint8Array> {
  const key = module == null ? 'module_gz' : 'module'
  let bytes: Uint8Array
  try {
    bytes = base64ToBytes((module ?? compressed ?? '').replace(/\s+/g, ''))
  } catch {
    return refuse({ code: 'WASM_MODULE', message: `'${key}': expected base64` })
  }
  if (key === 'module') return bounded(bytes)
  try {
    // The bound stops a small file that would unfold to gigabytes while it unfolds.
    return bounded(gunzipSync(bytes, { maxOutputLength: MAX_MODULE_BYTES }))
  } catch {
    return refuse({
      code: 'WASM_MODULE',
      message: `'${key}': expected gzip of at most ${MAX_MODULE_BYTES} bytes after decompression`
    })
  }
}

function bounded(bytes: Uint8Array): Result<Uint8Array> {
  if (bytes.length <= MAX_MODULE_BYTES) return { ok: true, value: bytes }
  return refuse({
    code: 'WASM_MODULE',
    message: `'module': it has ${bytes.length} bytes, expected at most ${MAX_MODULE_BYTES}`
  })
}

function textBytes(texts: readonly string[] | null | undefined): number {
  return (texts ?? []).reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0)
}
