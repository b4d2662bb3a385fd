/** Longest key compared; what a client sends as a key has no other bound. */
const MAX_KEY_CHARS = 40

/** The known key a mistyped one most likely means, or undefined when none is near. */
export function likelyKey(unknown: string, known: readonly string[]): string | undefined {
  if (unknown.length > MAX_KEY_CHARS) return undefined
  const wanted = unknown.toLowerCase()
  const ranked = known
    .map((key) => ({ key, distance: editDistance(wanted, key.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.key.length / 3)) ? best.key : undefined
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = cell(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1)
      const isSwap = column > 1 && row > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const swapped = isSwap ? cell(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY
      current.push(Math.min(cell(last, column) + 1, cell(current, column - 1) + 1, replaced, swapped))
    }
    beforeLast = last
    last = current
  }
  return cell(last, b.length)
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
