// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const BREAKS = /[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g
/** Marks that reorder or hide what stands around them. */
const HIDDEN = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

/**
 * Text from outside as part of one line: what would end the line is a space, marks that reorder text are left out, and
 * what is over `maxChars` is cut. However long the text, no more than a few times `maxChars` of it is looked at.
 */
export function oneLine(text: string, maxChars: number): string {
  const looked = text.slice(0, maxChars * 4)
  const plain = looked.toWellFormed().replace(HIDDEN, '').replace(BREAKS, ' ').trim()
  const chars = [...plain]
  if (chars.length <= maxChars && looked.length === text.length) return plain
  return `${chars.slice(0, maxChars).join('').trimEnd()}…`
}
