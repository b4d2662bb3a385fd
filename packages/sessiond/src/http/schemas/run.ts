import { z } from '@hono/zod-openapi'

const ms = z.number()

export const runStateSchema = z.enum(['starting', 'running', 'stopping', 'unkillable', 'gone'])

/** model/run.ts Run. */
export const runSchema = z
  .object({
    sessionId: z.string(),
    group: z.string(),
    epoch: z.int(),
    name: z.string(),
    runtime: z.string(),
    state: runStateSchema,
    handle: z.object({ runtime: z.string(), id: z.string() }).nullable(),
    intendedAtMs: ms,
    startedAtMs: ms.nullable(),
    firstClaimAtMs: ms.nullable(),
    lastActiveAtMs: ms,
    stopIntendedAtMs: ms.nullable(),
    killSentAtMs: ms.nullable(),
    end: z
      .enum([
        'exited',
        'idle',
        'claim-silent',
        'ceiling',
        'operator-stop',
        'cancel',
        'session-closed',
        'host-shutdown',
        'spawn-failed',
        'superseded',
      ])
      .nullable(),
    endEvidence: z.record(z.string(), z.unknown()).nullable(),
    exit: z.object({ code: z.int().nullable(), signal: z.string().nullable(), oomKilled: z.boolean() }).nullable(),
    endedAtMs: ms.nullable(),
    takenSeq: z.int(),
  })
  .openapi('Run')
