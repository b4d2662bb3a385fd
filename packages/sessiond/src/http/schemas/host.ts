import { z } from '@hono/zod-openapi'
import { TROUBLES } from '@sessiond/protocol'
import { ACCOUNT_STATES } from '../../model/account.ts'
import { JOURNAL_TYPES } from '../../model/journal.ts'
import { replySchema } from './message.ts'

const ms = z.number()

/** api.ts HostEvent. */
export const eventSchema = z
  .object({
    id: z.int(),
    type: z.enum(JOURNAL_TYPES),
    atMs: ms,
    sessionId: z.string().nullable(),
    epoch: z.int().nullable(),
    messageId: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
    reply: replySchema.optional(),
  })
  .openapi('Event')

/** api.ts SweepReport. */
export const sweepReportSchema = z
  .object({
    startedAtMs: ms,
    tookMs: ms,
    dryRun: z.boolean(),
    lines: z
      .array(
        z.object({
          sessionId: z.string(),
          epoch: z.int().nullable(),
          action: z.string(),
          because: z.string(),
          evidence: z.record(z.string(), z.unknown()),
          outcome: z.string().nullable(),
        }),
      )
      .readonly(),
  })
  .openapi('SweepReport')

/** api.ts Health. */
export const healthSchema = z
  .object({
    ok: z.boolean(),
    version: z.string(),
    installId: z.string(),
    pid: z.int(),
    startedAtMs: ms,
    lastSweepAgeMs: ms.nullable(),
    oldestDueAgeMs: ms.nullable(),
    liveRuns: z.int(),
    maxRuns: z.int(),
    problems: z.array(z.string()).readonly(),
    accounts: z
      .array(
        z.object({
          name: z.string(),
          state: z.enum(ACCOUNT_STATES),
          reason: z.enum(TROUBLES).nullable(),
          parkedUntilMs: ms,
          allowed: z.int(),
          troubles: z.int(),
        }),
      )
      .readonly(),
  })
  .openapi('Health')

/** What health says to a caller without a token. */
export const briefHealthSchema = z.object({ ok: z.boolean() }).openapi('BriefHealth')
