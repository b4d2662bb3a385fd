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
        'never-started',
        'frozen',
        'tool-overdue',
        'silent',
        'deaf',
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

const clockMs = z.number().nullable()

/** decide/decide-liveness.ts LivenessObservation. */
const livenessSchema = z.object({
  seen: z.enum(['created', 'running', 'exited', 'unknown']),
  watchedForMs: z.number(),
  beatAgeMs: clockMs,
  progressAgeMs: clockMs,
  activityAgeMs: clockMs,
  claims: z.array(z.object({ messageId: z.string(), ageMs: z.number() })).readonly(),
  tools: z
    .array(
      z.object({
        name: z.string(),
        ageMs: z.number(),
        timeoutMs: clockMs,
        expectedMs: clockMs,
        isBackground: z.boolean(),
      }),
    )
    .readonly(),
  wait: z.object({ reason: z.string(), ageMs: z.number(), forMs: clockMs, pingAgeMs: clockMs }).nullable(),
  tries: z.int(),
  unheededForMs: clockMs,
  idleForMs: clockMs,
})

/** model/black-box.ts BlackBox. */
const blackBoxSchema = z.object({
  takenAtMs: ms,
  processes: z
    .array(z.object({ pid: z.int(), name: z.string(), state: z.string(), cpuMs: clockMs, memoryBytes: clockMs }))
    .readonly()
    .nullable(),
  activity: z.object({ cpuMs: z.number(), ioBytes: z.number(), processes: z.int() }).nullable(),
  output: z.string().nullable(),
  clocks: livenessSchema,
  disk: z.object({ bytes: z.number(), files: z.int(), isWhole: z.boolean() }).nullable(),
})

/** api.ts Explanation. */
export const explanationSchema = z
  .object({ sentences: z.array(z.string()).readonly(), run: runSchema.nullable(), box: blackBoxSchema.nullable() })
  .openapi('Explanation')
