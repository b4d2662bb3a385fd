const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** A size for people, in three digits or four: `0 B`, `1.5 KiB`, `27.0 GiB`. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0]
  // What would round to 1024 of a unit is one of the next.
  while (unit < UNITS.length - 1 && Math.round(value * 10) / 10 >= 1024) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}
