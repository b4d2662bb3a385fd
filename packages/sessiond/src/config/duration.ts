const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/

/**
 * Reads a duration: a whole number of milliseconds, or text such as `250ms`, `30m`, `1h30m` (days to
 * milliseconds, largest unit first, each at most once). Returns undefined for anything else.
 */
export function parseDurationMs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string' || value === '' || value.length > 64) return undefined
  const match = DURATION.exec(value)
  if (match === null) return undefined
  const ms = Object.values(UNITS_MS).reduce((sum, unitMs, index) => sum + Number(match[index + 1] ?? 0) * unitMs, 0)
  return Number.isSafeInteger(ms) ? ms : undefined
}

/** Writes a duration the way `parseDurationMs` reads it: `5400000` is `1h30m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0ms'
  let rest = ms
  let text = ''
  for (const [unit, unitMs] of Object.entries(UNITS_MS)) {
    const count = Math.floor(rest / unitMs)
    if (count > 0) text += `${count}${unit}`
    rest -= count * unitMs
  }
  return text
}
