import { InvalidArgumentError } from 'commander'
import { parseDurationMs } from '../config/duration.ts'

/** Reads an option that is a whole number between two bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`)
  }
}

/** What one timer can wait. */
const MAX_DURATION_MS = 24 * 24 * 3_600_000

/** Reads an option that is a duration such as `30s` or `10m`, 24 days at most. */
export function durationMs(text: string): number {
  const ms = parseDurationMs(text)
  if (ms !== undefined && ms > 0 && ms <= MAX_DURATION_MS) return ms
  throw new InvalidArgumentError("Write a duration such as '30s' or '10m', 24d at most.")
}
