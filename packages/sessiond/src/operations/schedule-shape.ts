import { z } from 'zod'
import { OVERLAPS, ZONE_CHANGES } from '../model/series.ts'

const span = z.string().max(64)

/** What may be said of a series, made or changed, over HTTP or by an agent; api.ts ScheduleChanges. What it means is checked later. */
export const scheduleChanges = {
  text: z.string().optional(),
  cron: z.string().max(1_000).optional().describe('Five fields, or six with `seconds`.'),
  seconds: z.boolean().optional(),
  every: span.optional().describe('An interval such as `15m`.'),
  anchor: z.string().max(100).optional(),
  at: z.string().max(200).optional().describe('An instant, a local time, or words such as `tomorrow 9:00`.'),
  after: z.string().max(200).optional().describe('So long from now, such as `2h`.'),
  timeZone: z.string().max(100).nullable().optional(),
  onZoneChange: z.enum(ZONE_CHANGES).optional(),
  gap: z.enum(['after', 'skip']).optional(),
  repeated: z.enum(['first', 'second', 'both']).optional(),
  overlap: z.enum(OVERLAPS).optional(),
  missed: z.enum(['newest', 'each', 'none']).optional(),
  missedMax: z.int().optional(),
  missedWithin: span.nullable().optional(),
  missedUntil: z.string().max(10).nullable().optional(),
  stagger: span.optional(),
  end: z.string().max(200).nullable().optional(),
  maxRuns: z.int().nullable().optional(),
  backOffAfterFailures: z.int().nullable().optional(),
  pauseAfterFailures: z.int().nullable().optional(),
}
