import type { Row } from './benchmark.ts'

/** Of each line the round whose figure is the middle one; the lower of two. */
export function medianRows(rounds: readonly (readonly Row[])[]): Row[] {
  const [first = []] = rounds
  return first.map((row) => {
    const same = rounds.flatMap((rows) => rows.filter(({ what, value }) => what === row.what && value !== null))
    const sorted = same.sort((a, b) => (a.value ?? 0) - (b.value ?? 0))
    const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? row
    if (sorted.length < 2) return middle
    const rest = sorted.map(({ value }) => roundTo3(value ?? 0)).join(', ')
    return { ...middle, note: `${middle.note}${middle.note === '' ? '' : '; '}rounds: ${rest}` }
  })
}

function roundTo3(value: number): string {
  return String(Number(value.toPrecision(3)))
}
