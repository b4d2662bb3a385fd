const UNIT_BYTES = { GiB: 1024 ** 3, MiB: 1024 ** 2, KiB: 1024, B: 1 } as const

const SIZE = /^(\d+)(GiB|MiB|KiB|B)$/

/** Reads a size: a whole number of bytes, or text such as `512B`, `64KiB`, `2MiB`, `1GiB`; else undefined. */
export function parseSizeBytes(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string' || value.length > 32) return undefined
  const [, count, unit] = SIZE.exec(value) ?? []
  if (count === undefined || unit === undefined) return undefined
  const bytes = Number(count) * UNIT_BYTES[unit as keyof typeof UNIT_BYTES]
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Writes a size in the largest unit that divides it: `2097152` is `2MiB`. */
export function formatSize(bytes: number): string {
  const [unit, size] = Object.entries(UNIT_BYTES).find(([, each]) => bytes >= each && bytes % each === 0) ?? ['B', 1]
  return `${bytes / size}${unit}`
}
