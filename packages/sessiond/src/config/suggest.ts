/** The candidate a person most likely meant by `typed`, or undefined when none is near. */
export function suggest(typed: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  // A third of the letters may be wrong, at least two: `stopGraceMs` is still `stopGrace`.
  let bestDistance = Math.max(2, Math.floor(typed.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(typed.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best ?? [...candidates].find((candidate) => isLonger(typed, candidate) || isLonger(candidate, typed))
}

/** `dataDirectory` for `dataDir`: too far to be a slip, near enough to be meant. */
function isLonger(long: string, short: string): boolean {
  return short.length >= 3 && long.toLowerCase().startsWith(short.toLowerCase())
}

/** Insertions, deletions, replacements and swaps of neighbours between two short texts. */
export function editDistance(from: string, to: string): number {
  const width = to.length + 1
  const cells = new Array<number>((from.length + 1) * width).fill(0)
  const at = (row: number, column: number): number => cells[row * width + column] ?? 0
  for (let row = 0; row <= from.length; row++) {
    for (let column = 0; column <= to.length; column++) {
      if (row === 0 || column === 0) {
        cells[row * width + column] = row + column
        continue
      }
      const isSame = from[row - 1] === to[column - 1]
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      cells[row * width + column] = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwap ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
  }
  return at(from.length, to.length)
}
