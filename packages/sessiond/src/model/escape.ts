// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' }

/**
 * Makes text of a run safe for a terminal: control characters, escape sequences, and marks that reorder text show
 * as `\x07` or `\u202e`. Line breaks and tabs stay.
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (char) => (char === '\n' || char === '\t' ? char : escapeChar(char)))
}

/** The same for one line: line breaks and tabs are shown too, and what is over `maxChars` is cut. */
export function escapeLine(text: string, maxChars: number = Number.POSITIVE_INFINITY): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars).trimEnd()}…` : text
  return cut.replace(UNSAFE, escapeChar)
}

/** JSON on one line that is harmless on a terminal and still the same JSON. */
export function toSafeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (char) => `\\u${hex(char, 4)}`)
}

function escapeChar(char: string): string {
  const code = char.charCodeAt(0)
  return NAMED[char] ?? (code < 0x100 ? `\\x${hex(char, 2)}` : `\\u${hex(char, 4)}`)
}

function hex(char: string, digits: number): string {
  return char.charCodeAt(0).toString(16).padStart(digits, '0')
}
