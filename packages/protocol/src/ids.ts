/** Ids of messages and replies: one safe path segment, no leading punctuation, at most 128 characters. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/

/** Tells whether `text` may serve as the id of a message or reply. */
export function isValidId(text: string): boolean {
  return ID.test(text) && !text.includes('..')
}

/** Names of groups and sessions become directory names and container labels: stricter and shorter than ids. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Tells whether `text` may serve as the name of a group or session. */
export function isValidName(text: string): boolean {
  return NAME.test(text) && !text.includes('..') && !text.endsWith('.')
}
