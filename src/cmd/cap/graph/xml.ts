/** Text for XML: no character of it can end an element or attribute, and none is left that XML 1.0 does not allow (§2.2). */

import { printable } from '../../cli/printable.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
}

/** Control and direction characters become visible escapes, as on a terminal; line ends stay. */
export function xmlText(text: string): string {
  return printable(text.toWellFormed())
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, found => ENTITIES[found] ?? '')
}
