import { REQUEST_ACTIONS } from '@sessiond/protocol'
import { z } from 'zod'
import { SERIES_STATES } from '../model/series.ts'
import { scheduleChanges } from '../operations/schedule-shape.ts'

const task = z.string().min(1).max(128)

const requestSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('schedule_task'), ...scheduleChanges, text: z.string() }),
  z.strictObject({
    action: z.literal('list_tasks'),
    state: z.enum(SERIES_STATES).optional(),
    after: task.optional(),
  }),
  z.strictObject({ action: z.literal('update_task'), task, ...scheduleChanges }),
  z.strictObject({ action: z.literal('pause_task'), task }),
  z.strictObject({ action: z.literal('resume_task'), task }),
  z.strictObject({ action: z.literal('cancel_task'), task }),
])

/** What an agent asks, its fields of the right types; what they mean is checked by whoever does it. */
export type ParsedRequest = z.infer<typeof requestSchema>

/** Reads the content of a request; a problem in words the agent can act on. */
export function parseRequest(content: string): ParsedRequest | { readonly problem: string } {
  const parsed = requestSchema.safeParse(JSON.parse(content))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  if (issue === undefined || issue.code === 'invalid_union') {
    return { problem: `There is no such request. Known are ${REQUEST_ACTIONS.join(', ')}.` }
  }
  return { problem: `${issue.path.join('.') || 'The request'}: ${issue.message}.`.slice(0, 1_000) }
}
