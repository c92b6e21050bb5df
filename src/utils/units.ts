/** Sizes and clock speeds with units, as ensemble files and flags write them (deployment §1.4.3). */

import { SyntaxFault } from './error.ts'

/** Bytes of a gibibyte. */
export const GIB = 2 ** 30
/** Bytes of a mebibyte. */
export const MIB = 2 ** 20

const BYTE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  p: 1e15,
  pb: 1e15,
  e: 1e18,
  eb: 1e18,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: GIB,
  gib: GIB,
  ti: 2 ** 40,
  tib: 2 ** 40,
  pi: 2 ** 50,
  pib: 2 ** 50,
  ei: 2 ** 60,
  eib: 2 ** 60
}

const HERTZ_UNITS: Readonly<Record<string, number>> = { hz: 1, khz: 1e3, mhz: 1e6, ghz: 1e9 }

const QUANTITY = /^([+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)$/

function parseQuantity(
  input: string | number,
  units: Readonly<Record<string, number>>,
  defaultUnit: string,
  what: string
): number {
  const match = QUANTITY.exec(String(input).trim())
  const factor = match ? units[(match[2] || defaultUnit).toLowerCase()] : undefined
  const value = match && factor !== undefined ? Number(match[1]) * factor : Number.NaN
  if (!Number.isFinite(value) || value < 0 || value > Number.MAX_SAFE_INTEGER) {
    throw new SyntaxFault(`'${input}' is not a ${what}`, { details: { input: String(input) } })
  }
  return Math.trunc(value)
}

/** Bytes of `512MiB`, `2 GB`, `1.5`; a bare number is in `defaultUnit` (GiB unless told otherwise). Fractions of a byte are cut off. */
export function parseBytes(input: string | number, defaultUnit = 'GiB'): number {
  return parseQuantity(input, BYTE_UNITS, defaultUnit, "size such as '2 GiB' or '512MiB'")
}

/**
 * Hertz of `2.4 GHz`, `800MHz`; a bare number is in GHz. Units are read without regard to case: `mhz` means
 * megahertz, as its writer meant.
 */
export function parseHertz(input: string | number): number {
  return parseQuantity(input, HERTZ_UNITS, 'GHz', "clock speed such as '2.4 GHz'")
}

/** A short human form with binary units: `1.5 GiB`, `512 MiB`, `17 B`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  const rounded = (): number => Math.round(value * 10) / 10
  while (rounded() >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${rounded()} ${units[unit]}`
}
