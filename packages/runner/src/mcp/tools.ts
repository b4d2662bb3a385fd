import type { RequestAction } from '@sessiond/protocol'
import { z } from 'zod'

/** A tool that is a request to the host. */
export interface RequestTool {
  readonly name: RequestAction
  readonly title: string
  readonly description: string
  readonly parameters: z.ZodRawShape
  /** True: it changes nothing. */
  readonly isReadOnly: boolean
}

const task = z.string().describe('Id of the task, as list_tasks shows it.')

/** Said once and the same wherever a time goes in. Times are the user's: the host knows the zone. */
const timing = {
  at: z
    .string()
    .optional()
    .describe(
      "Once, in the user's local time: '2030-01-31 09:00', 'tomorrow 9:00', 'friday 17:30'. No offset, no conversion.",
    ),
  after: z.string().optional().describe("Once, so long from now: '2h', '10m', '1d'."),
  every: z.string().optional().describe("Again and again, at this interval: '15m', '6h'."),
  cron: z
    .string()
    .optional()
    .describe(
      "Again and again, by the user's clock: minute hour day-of-month month day-of-week, such as '0 9 * * 1-5'; names, L, # and @daily work.",
    ),
  timeZone: z
    .string()
    .nullable()
    .optional()
    .describe("IANA zone, only where the user names another place than their own; null: the user's own again."),
  end: z.string().nullable().optional().describe('Nothing is due after this local time; null: no end.'),
  maxRuns: z.number().int().positive().nullable().optional().describe('It ends after so many; null: no end.'),
  overlap: z
    .enum(['skip', 'queue', 'replace', 'allow'])
    .optional()
    .describe('When the one before still runs. Default skip.'),
  missed: z
    .enum(['newest', 'each', 'none'])
    .optional()
    .describe('What runs of what was missed while the host was down. Default newest.'),
  missedUntil: z
    .string()
    .nullable()
    .optional()
    .describe("A missed one is of use only until this local time of its day: '11:00'; null: always."),
}

/** What an agent may ask of its host. */
export const REQUEST_TOOLS: readonly RequestTool[] = [
  {
    name: 'schedule_task',
    title: 'Schedule a task',
    description:
      'Has you do something later, once or again and again. Give exactly one of at, after, every and cron. When it is due you are told `text`, in this session. The answer says when it runs: check it against what was meant.',
    parameters: {
      text: z
        .string()
        .describe('What you are told each time. Write it so that it makes sense without this conversation.'),
      ...timing,
    },
    isReadOnly: false,
  },
  {
    name: 'list_tasks',
    title: 'List tasks',
    description: 'Shows the tasks of this session and when each runs next.',
    parameters: {
      state: z
        .enum(['active', 'paused', 'parked', 'ended'])
        .optional()
        .describe('Only these. Default: all that have not ended.'),
      after: z.string().optional().describe('The last id of the page before.'),
    },
    isReadOnly: true,
  },
  {
    name: 'update_task',
    title: 'Change a task',
    description: 'Changes what a task says or when it runs, from now on. What is not given stays.',
    parameters: { task, text: z.string().optional().describe('What you are told each time.'), ...timing },
    isReadOnly: false,
  },
  {
    name: 'pause_task',
    title: 'Pause a task',
    description: 'Holds a task until it is resumed. What comes due meanwhile is skipped.',
    parameters: { task },
    isReadOnly: false,
  },
  {
    name: 'resume_task',
    title: 'Resume a task',
    description: 'Lets a paused task go on.',
    parameters: { task },
    isReadOnly: false,
  },
  {
    name: 'cancel_task',
    title: 'Cancel a task',
    description: 'Ends a task for good.',
    parameters: { task },
    isReadOnly: false,
  },
]
