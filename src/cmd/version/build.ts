/** Facts the bundler writes in; from the sources they are unknown. */

declare const NUNET_BUILD: { version: string; commit: string; date: string } | undefined

export const BUILD: { readonly version: string; readonly commit: string; readonly date: string } =
  typeof NUNET_BUILD === 'undefined'
    ? { version: 'development', commit: 'unknown', date: 'unknown' }
    : NUNET_BUILD
