/**
 * The part of the WebAssembly JavaScript interface (W3C) that is used here. TypeScript keeps it in its browser
 * library, which would bring `window` and friends along; Node's types lack it.
 */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBufferLike
    grow(pages: number): number
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
  }
  class Instance {
    constructor(
      module: Module,
      imports: Record<string, Record<string, (...values: (number | bigint)[]) => number>>
    )
    readonly exports: Readonly<Record<string, unknown>>
  }
  const Memory: { readonly prototype: Memory; new (descriptor: { initial: number }): Memory }
  class RuntimeError extends Error {}
  class CompileError extends Error {}
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean
}
