/** Of a list in a sentence so many are named; of more, the number tells enough. */
const NAMED = 10

/** `a, b, c and 7 more`; empty where there are none. */
export function listSome(items: readonly string[]): string {
  const shown = items.slice(0, NAMED).join(', ')
  return items.length > NAMED ? `${shown} and ${items.length - NAMED} more` : shown
}
