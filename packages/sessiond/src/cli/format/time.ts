import { UNITS } from '../../when/format-instant.ts'

/** An instant in the local zone with its offset: `2030-01-31 09:00:00 +01:00`; `-` for none. */
export function formatInstant(ms: number | null): string {
  if (ms === null) return '-'
  const offsetMinutes = -new Date(ms).getTimezoneOffset()
  const local = new Date(ms + offsetMinutes * 60_000).toISOString()
  const sign = offsetMinutes < 0 ? '-' : '+'
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60]
  const offset = `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${offset}`
}

/** A span in its largest unit, rounded down: `3 s`, `12 min`. */
export function formatSpan(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, each]) => Math.abs(ms) >= each) ?? ['ms', 1]
  return `${Math.floor(Math.abs(ms) / unitMs)} ${unit}`
}

/** Where an instant lies from now: `3 s ago`, `in 5 min`, `now`; `-` for none. */
export function formatAge(ms: number | null, nowMs: number): string {
  if (ms === null) return '-'
  const ageMs = nowMs - ms
  if (Math.abs(ageMs) < 1_000) return 'now'
  return ageMs > 0 ? `${formatSpan(ageMs)} ago` : `in ${formatSpan(ageMs)}`
}
