import type { Command } from 'commander'
import type { ScheduleRequest } from '../../api.ts'
import { toSafeJson } from '../../model/escape.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { formatPreview } from '../format/series.ts'
import { checkText, readText } from '../read-text.ts'
import { addScheduleOptions, requireTiming, type ScheduleOptions, scheduleChangesOf } from '../schedule-options.ts'
import { parseMessageArgument, parseSessionArgument } from '../session-argument.ts'

interface Options extends CommonOptions, ScheduleOptions {
  readonly id?: string
  readonly dryRun?: boolean
}

/** `sessiond schedule`: shows the next ten firings, then stores the task; with --dry-run only shows. */
export function addSchedule(program: Command, context: CliContext): void {
  const command = addCommand(program, 'schedule', 'schedule a task, recurring or once')
    .argument('<session>', '<group>/<session>, or <group> for its session main')
    .argument('<text>', 'what the agent is told each time, or - to read it from standard input')
    .option('--id <id>', 'id of the task: scheduling it again changes nothing')
    .option('--dry-run', 'only show when it would run')
  addScheduleOptions(command).action(async (target: string, given: string, options: Options) => {
    const { group, session } = parseSessionArgument(target)
    requireTiming(options)
    const id = options.id === undefined ? undefined : parseMessageArgument(options.id)
    const { client, config } = await findHost(options, context)
    const { textBytes } = config.limits
    const text = checkText(given === '-' ? await readText(context.stdin, textBytes) : given, textBytes)
    const request: ScheduleRequest = {
      group,
      session,
      text,
      ...scheduleChangesOf(options),
      ...(id === undefined ? {} : { id }),
    }
    const preview = await client.previewSchedule(request)
    if (options.json !== true) context.out(formatPreview(preview, context.now()))
    if (options.dryRun === true) {
      if (options.json === true) context.out(`${toSafeJson(preview)}\n`)
      return
    }
    const detail = await client.schedule(request)
    context.out(
      options.json === true
        ? `${toSafeJson(detail)}\n`
        : `Task ${detail.series.id} is scheduled in ${detail.series.sessionId}.\n`,
    )
  })
}
