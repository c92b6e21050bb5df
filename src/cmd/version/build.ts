/** Facts the bundler writes in as one text, `<version> <commit> <date>`; from the sources they are unknown. */

declare const NUNET_BUILD: string | undefined

const [version = '', commit = '', date = ''] =
  typeof NUNET_BUILD === 'undefined' ? ['development', 'unknown', 'unknown'] : NUNET_BUILD.split(' ')

export const BUILD: { readonly version: string; readonly commit: string; readonly date: string } = {
  version,
  commit,
  date
}
