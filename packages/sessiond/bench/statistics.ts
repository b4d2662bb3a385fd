/** The value below which a share of the values lies (nearest rank); 0.5 is the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('No values were measured')
  return value
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** Digits as far as they mean something. */
export function roundFigure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(value >= 100 ? 3 : 2)))
}

/** The spread of a list of times, for notes. */
export function spreadOf(valuesMs: readonly number[]): string {
  const [p50, p99] = [0.5, 0.99].map((share) => roundFigure(percentile(valuesMs, share)))
  return `n = ${valuesMs.length}, p50 ${p50}, p99 ${p99}, max ${roundFigure(Math.max(...valuesMs))} ms`
}
