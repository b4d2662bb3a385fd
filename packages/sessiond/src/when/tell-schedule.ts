import { formatDuration } from '../config/duration.ts'
import { escapeLine } from '../model/escape.ts'
import type { Schedule } from '../model/series.ts'

/** A schedule in a few words: `0 9 * * 1-5`, `every 15m`, `once`. */
export function tellSchedule(schedule: Schedule): string {
  if (schedule.kind === 'cron') return escapeLine(schedule.expression, 60)
  return schedule.kind === 'every' ? `every ${formatDuration(schedule.everyMs)}` : 'once'
}
