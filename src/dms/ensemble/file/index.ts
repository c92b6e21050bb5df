/**
 * Reads ensemble files. A door of its own, without the schema library, so that a command which only reads a file
 * starts fast.
 *
 * @packageDocumentation
 */
export { type ParsedEnsemble, type ParseOptions, parseEnsembleFile } from './parse.ts'
export { type EnsembleProblem, formatProblem } from './problem.ts'
