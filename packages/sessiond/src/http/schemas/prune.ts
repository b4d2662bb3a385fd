import { z } from '@hono/zod-openapi'
import type { StayReason } from '../../model/artifact.ts'
import { STAGES } from '../../prune/apply-house.ts'
import type { ROW_CLASSES } from '../../store/store.ts'

const count = z.int()
const bytes = z.number()

const sum = { entries: count, bytes }
const removalSum = z.object(sum)

const rowsSchema = z.object({
  messages: count,
  replies: count,
  deadLetters: count,
  journal: count,
  runs: count,
  ledger: count,
  sessions: count,
} satisfies Record<(typeof ROW_CLASSES)[number], z.ZodType>)

const staysSchema = z.object({
  active: count.optional(),
  'no-record': count.optional(),
  'kept-name': count.optional(),
  'not-a-file': count.optional(),
  future: count.optional(),
  unreadable: count.optional(),
  elsewhere: count.optional(),
  'not-permitted': count.optional(),
  changed: count.optional(),
  vanished: count.optional(),
} satisfies Record<StayReason, z.ZodType>)

const reasonSchema = z.discriminatedUnion('bound', [
  z.object({ bound: z.literal('age'), ageMs: z.number(), maxAgeMs: z.number() }),
  z.object({ bound: z.literal('count'), rank: count, maxCount: count }),
  z.object({ bound: z.literal('bytes'), bytesBefore: bytes, maxBytes: bytes }),
  z.object({ bound: z.literal('highWater'), usedShare: z.number(), highWaterShare: z.number() }),
])

/** api.ts PruningPlan. */
export const pruningPlanSchema = z
  .object({
    id: z.string(),
    plannedAtMs: z.number(),
    removed: removalSum,
    classes: z
      .array(
        z.object({
          name: z.string(),
          seen: removalSum,
          removed: removalSum,
          reasons: z
            .array(
              z.object({
                ...sum,
                bound: z.enum(['age', 'count', 'bytes', 'highWater']),
                limit: z.number(),
                most: z.number(),
              }),
            )
            .readonly(),
          stays: staysSchema,
        }),
      )
      .readonly(),
    sessions: z.array(z.object({ ...sum, group: z.string().nullable(), session: z.string().nullable() })).readonly(),
    otherSessions: z.object({ ...sum, sessions: count }),
    isPartial: z.boolean(),
    rows: rowsSchema,
    areRowsWhole: z.boolean(),
    closedSessions: count.nullable(),
    trash: removalSum,
  })
  .openapi('PruningPlan')

/** api.ts PlannedRemovals. */
export const plannedRemovalsSchema = z
  .object({
    removals: z
      .array(
        z.object({
          className: z.string(),
          root: z.string(),
          path: z.string(),
          isFolder: z.boolean(),
          bytes,
          files: count,
          group: z.string().nullable(),
          session: z.string().nullable(),
          epoch: z.string().nullable(),
          ids: z.array(z.string()).readonly(),
          reason: reasonSchema,
        }),
      )
      .readonly(),
    next: count.nullable(),
  })
  .openapi('PlannedRemovals')

const stage = z.enum(STAGES).nullable()

/** api.ts Pruning. */
export const pruningSchema = z
  .object({
    id: z.string(),
    state: z.enum(['running', 'finished', 'failed']),
    progress: z.object({
      stage,
      classes: z.array(z.object({ name: z.string(), removed: removalSum, stays: staysSchema })).readonly(),
      looked: count,
      planned: count,
      rows: rowsSchema,
      closedSessions: z.object({ archived: count, bytes, failed: count }),
      trash: removalSum,
    }),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    outcome: z.object({ stoppedAt: stage, isMore: z.boolean(), trashFolder: z.string().nullable() }).nullable(),
  })
  .openapi('Pruning')
