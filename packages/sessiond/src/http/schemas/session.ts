import { z } from '@hono/zod-openapi'
import { messageSchema, replySchema } from './message.ts'
import { runSchema, runStateSchema } from './run.ts'

const ms = z.number()

/** model/session.ts Session. */
export const sessionSchema = z
  .object({
    id: z.string(),
    group: z.string(),
    name: z.string(),
    status: z.enum(['open', 'closed']),
    timeZone: z.string().nullable().describe("IANA zone of its own; null: its group's."),
    createdAtMs: ms,
    closedAtMs: ms.nullable(),
    archivedAtMs: ms.nullable().describe('Since when its directory is no more but in an archive; null: it is not.'),
    epoch: z.int(),
    spawnFailures: z.int(),
    spawnNotBeforeMs: ms,
    lastSpawnError: z.string().nullable(),
  })
  .openapi('Session')

/** model/session.ts SessionSummary. */
export const sessionSummarySchema = z
  .object({
    ...sessionSchema.shape,
    runState: runStateSchema.nullable(),
    pending: z.int(),
    claimed: z.int(),
    deadLetters: z.int(),
    nextDueAtMs: ms.nullable(),
  })
  .openapi('SessionSummary')

/** api.ts SessionDetail. */
export const sessionDetailSchema = z
  .object({
    session: sessionSchema,
    summary: sessionSummarySchema,
    run: runSchema.nullable(),
    next: z.object({ action: z.string(), because: z.string() }),
    messages: z.array(messageSchema).readonly(),
    replies: z.array(replySchema).readonly(),
  })
  .openapi('SessionDetail')
