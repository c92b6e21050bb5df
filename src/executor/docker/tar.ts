/** The few lines of the tar format (POSIX ustar, pax(1)) that files in and out of a container need. */

const BLOCK = 512

export interface TarEntry {
  /** Relative path, ASCII, at most 100 bytes; a directory ends in `/`. */
  readonly path: string
  readonly mode: number
  readonly content: Uint8Array
}

/** An archive of plain files and directories, owned by root, without times. */
export function packTar(entries: readonly TarEntry[]): Uint8Array {
  const blocks = entries.flatMap(entry => [
    header(entry),
    entry.content,
    new Uint8Array(padding(entry.content.length))
  ])
  return Buffer.concat([...blocks, new Uint8Array(2 * BLOCK)])
}

/** Content of the first entry of an archive. */
export function firstTarContent(archive: Uint8Array): Uint8Array {
  const size = Number.parseInt(Buffer.from(archive.subarray(124, 135)).toString('latin1'), 8)
  return archive.subarray(BLOCK, BLOCK + (Number.isFinite(size) ? size : 0))
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

function header({ path, mode, content }: TarEntry): Uint8Array {
  if (path.length > 100) throw new RangeError(`tar path '${path}' is longer than 100 bytes`)
  const block = Buffer.alloc(BLOCK)
  block.write(path, 0, 'latin1')
  block.write(octal(mode, 7), 100, 'latin1')
  block.write(octal(0, 7), 108, 'latin1')
  block.write(octal(0, 7), 116, 'latin1')
  block.write(octal(content.length, 11), 124, 'latin1')
  block.write(octal(0, 11), 136, 'latin1')
  block.write('        ', 148, 'latin1') // the checksum counts its own field as blanks
  block.write(path.endsWith('/') ? '5' : '0', 156, 'latin1')
  block.write('ustar\u000000', 257, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  return block
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
