/**
 * Brands, wire shapes and contracts that several domains share. No behaviour: this folder holds types,
 * brands and constants only, so every other folder may import it.
 *
 * @packageDocumentation
 */
export type { AbortOptions } from './abort.ts'
export type { Clock, Timer } from './clock.ts'
export type { FileLock, FileStore } from './files.ts'
export type { ActorAddress, ActorId, Did, Handle, PeerId } from './identity.ts'
export type { LogFields, Logger, LogLevel } from './logger.ts'
export type { RandomSource } from './random.ts'
export type { Refusal } from './refusal.ts'
export type {
  CpuResources,
  DiskResources,
  GpuResources,
  GpuVendor,
  RamResources,
  Resources
} from './resources.ts'
export type { Result } from './result.ts'
export type { Startable } from './startable.ts'
