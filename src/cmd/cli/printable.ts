/** Text from elsewhere made safe for a terminal: a hostile peer or workload must not move the cursor or rewrite lines. */

/** Control characters but tab and newline, and the marks that turn the writing direction, become visible escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, found =>
    /[\t\n]/.test(found) ? found : escapeCharacter(found)
  )
}

/** As `printable`, on one line. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s*\n\s*/g, '; ')).trim()
}

const ESCAPE = '\u001b'

/** Output of a workload on a terminal: colours, tabs and line ends stay, everything else that commands a terminal is shown. */
export function printableOutput(text: string): string {
  return text.replace(/\p{Cc}(?:\[[0-9;]{0,32}m)?/gu, found => {
    if (found.startsWith(ESCAPE) && found.length > 1) return found
    const control = found.charAt(0)
    return (/[\t\n\r]/.test(control) ? control : escapeCharacter(control)) + found.slice(1)
  })
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`
}
