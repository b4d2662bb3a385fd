import type { SQLOutputValue } from 'node:sqlite'

/** A row read from a run: a value that is safe to use, or why there is none. */
export type Parsed<T> = { readonly value: T } | { readonly because: string }

/** A row as SQLite returned it. */
export type Row = Readonly<Record<string, SQLOutputValue>>

/** A whole number between 0 and `max`, clamped; null for anything that is no finite number. */
export function wholeNumber(value: SQLOutputValue | undefined, max = Number.MAX_SAFE_INTEGER): number | null {
  if (typeof value === 'bigint') return value < 0n ? 0 : Number(value > BigInt(max) ? BigInt(max) : value)
  if (typeof value !== 'number' || Number.isNaN(value)) return null
  return Math.round(Math.min(Math.max(value, 0), max))
}

/** An integer as written; null for anything else, so that a forged figure matches nothing. */
export function exactInteger(value: SQLOutputValue | undefined): number | null {
  if (typeof value !== 'bigint') return null
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null
}

/** Text without NUL; null for anything else. */
export function plainText(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' && !value.includes('\0') ? value : null
}
