import { z } from '@hono/zod-openapi'
import { OUTCOMES, OVERLAPS, SERIES_STATES, ZONE_CHANGES } from '../../model/series.ts'
import { addressSchema } from './message.ts'

const ms = z.number()
const gap = z.enum(['after', 'skip'])
const repeated = z.enum(['first', 'second', 'both'])

/** model/series.ts Schedule. */
export const scheduleSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('once'), atMs: ms }),
    z.object({ kind: z.literal('every'), everyMs: ms, anchorMs: ms }),
    z.object({ kind: z.literal('cron'), expression: z.string(), seconds: z.boolean(), gap, repeated }),
  ])
  .openapi('Schedule')

const planSchema = z.object({
  schedule: scheduleSchema,
  timeZone: z.string().nullable(),
  onZoneChange: z.enum(ZONE_CHANGES),
  overlap: z.enum(OVERLAPS),
  missed: z.object({
    run: z.enum(['newest', 'each', 'none']),
    max: z.int(),
    withinMs: ms.nullable(),
    until: z.string().nullable(),
  }),
  staggerMs: ms,
  endAtMs: ms.nullable(),
  maxRuns: z.int().nullable(),
  backOffAfterFailures: z.int().nullable(),
  pauseAfterFailures: z.int().nullable(),
})

/** model/series.ts Series. */
export const seriesSchema = z
  .object({
    id: z.string(),
    sessionId: z.string(),
    group: z.string(),
    plan: planSchema,
    kind: z.enum(['chat', 'task', 'system']),
    content: z.string(),
    address: addressSchema,
    sourceSessionId: z.string().nullable(),
    state: z.enum(SERIES_STATES),
    because: z.string().nullable(),
    createdAtMs: ms,
    homeZone: z.string(),
    zone: z.string(),
    nextAtMs: ms.nullable(),
    accountedToMs: ms,
    liveUntilMs: ms,
    catchUpToMs: ms,
    heldUntilMs: ms,
    heldFor: z.enum(['paused', 'backing-off']).nullable(),
    failuresInARow: z.int(),
    firings: z.int(),
    liveMessageId: z.string().nullable(),
  })
  .openapi('Series')

const firing = z.object({ atMs: ms, local: z.string(), note: z.string() }).openapi('Firing')

/** api.ts SchedulePreview. */
export const schedulePreviewSchema = z.object({ timeZone: z.string(), firings: z.array(firing).readonly() })

/** api.ts SeriesDetail. */
export const seriesDetailSchema = schedulePreviewSchema.extend({ series: seriesSchema }).openapi('SeriesDetail')

/** model/series.ts LedgerLine. */
export const ledgerLineSchema = z
  .object({
    seriesId: z.string(),
    ordinal: z.int(),
    origin: z.enum(['schedule', 'run-now']),
    firstDueAtMs: ms,
    lastDueAtMs: ms,
    count: z.int(),
    outcome: z.enum(OUTCOMES),
    because: z.string(),
    messageId: z.string().nullable(),
    endedAtMs: ms.nullable(),
  })
  .openapi('LedgerLine')

/** decide/check-ledger.ts LedgerCheck. */
export const ledgerCheckSchema = z
  .object({
    due: z.int(),
    told: z.int(),
    live: z.int(),
    ran: z.int(),
    merged: z.int(),
    skipped: z.int(),
    expired: z.int(),
    runNow: z.int(),
    balances: z.boolean(),
  })
  .openapi('LedgerCheck')
