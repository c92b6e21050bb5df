/**
 * Reads ensemble files. A door of its own, without the schema library, so that a command which only reads a file
 * starts fast.
 *
 * @example
 * ```ts
 * const result = await parseEnsembleFile(text, { fileName, directory, env: {}, readFile })
 * if (result.ok) send({ Ensemble: result.value.ensemble })
 * else for (const problem of result.error) stderr.write(`${formatProblem(problem)}\n`)
 * ```
 *
 * @packageDocumentation
 */
export { type ParsedEnsemble, type ParseOptions, parseEnsembleFile } from './parse.ts'
export { type EnsembleProblem, formatProblem } from './problem.ts'
