import { type Command, Option } from 'commander'
import { SERIES_STATES, type SeriesState } from '../../model/series.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { formatLedger, formatLedgerCheck, formatSeriesDetail, formatSeriesList } from '../format/series.ts'
import { wholeNumber } from '../parse-option.ts'
import { printResult } from '../print-result.ts'
import { addScheduleOptions, type ScheduleOptions, scheduleChangesOf } from '../schedule-options.ts'
import { parseMessageArgument, parseSessionArgument } from '../session-argument.ts'

interface ListOptions extends CommonOptions {
  readonly session?: string
  readonly state?: SeriesState
  readonly after?: string
  readonly limit?: number
}

interface UpdateOptions extends CommonOptions, ScheduleOptions {
  readonly text?: string
}

interface LedgerOptions extends CommonOptions {
  readonly check?: boolean
  readonly before?: number
  readonly limit?: number
}

const ID = ['<task>', "a task's id, or one of its occurrences'"] as const

/** Exit code of `tasks ledger --check` when the sums do not balance. */
const UNBALANCED = 1

/** `sessiond tasks`: recurring work, and what became of it. */
export function addTasks(program: Command, context: CliContext): void {
  const tasks = program.command('tasks').description('scheduled tasks: list, show, change, and what became of them')
  addList(tasks, context)
  addCommand(tasks, 'show', 'show a task with its next firings')
    .argument(...ID)
    .action(async (argument: string, options: CommonOptions) => {
      const id = parseMessageArgument(argument)
      const detail = await (await findHost(options, context)).client.showSeries(id)
      printResult(context, options, detail, () => formatSeriesDetail(detail, context.now()))
    })
  addChange(tasks, context, 'pause', 'pause a task')
  addChange(tasks, context, 'resume', 'resume a task; what came due meanwhile is skipped')
  addCommand(tasks, 'run-now', 'run a task now; its schedule does not move')
    .argument(...ID)
    .action(async (argument: string, options: CommonOptions) => {
      const id = parseMessageArgument(argument)
      const answer = await (await findHost(options, context)).client.runSeriesNow(id)
      printResult(context, options, answer, () => `${answer.messageId} waits for its session.\n`)
    })
  const update = addCommand(tasks, 'update', 'change a task from now on').argument(...ID)
  addScheduleOptions(update.option('--text <text>', 'what the agent is told each time')).action(
    async (argument: string, options: UpdateOptions) => {
      const id = parseMessageArgument(argument)
      const { client } = await findHost(options, context)
      const text = options.text === undefined ? {} : { text: options.text }
      const detail = await client.updateSeries(id, { ...scheduleChangesOf(options), ...text })
      printResult(context, options, detail, () => formatSeriesDetail(detail, context.now()))
    },
  )
  addCommand(tasks, 'cancel', 'end a task for good, or cancel one occurrence')
    .argument(...ID)
    .action(async (argument: string, options: CommonOptions) => {
      const id = parseMessageArgument(argument)
      const answer = await (await findHost(options, context)).client.cancelSeries(id)
      printResult(context, options, { id, ...answer }, () => `${id} is cancelled.\n`)
    })
  addLedger(tasks, context)
}

function addList(tasks: Command, context: CliContext): void {
  addCommand(tasks, 'list', 'list tasks')
    .option('--session <session>', 'only this session')
    .addOption(new Option('--state <state>', 'only those').choices(SERIES_STATES))
    .option('--after <task>', 'only tasks after this one, for paging')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 1_000))
    .action(async ({ session, state, after, limit, ...options }: ListOptions) => {
      const { client } = await findHost(options, context)
      const series = await client.listSeries({
        ...(session === undefined ? {} : { session: parseSessionArgument(session).id }),
        ...(state === undefined ? {} : { state }),
        ...(after === undefined ? {} : { after: parseMessageArgument(after) }),
        ...(limit === undefined ? {} : { limit }),
      })
      printResult(context, options, { series }, () => formatSeriesList(series, context.now()))
    })
}

function addChange(tasks: Command, context: CliContext, verb: 'pause' | 'resume', about: string): void {
  addCommand(tasks, verb, about)
    .argument(...ID)
    .action(async (argument: string, options: CommonOptions) => {
      const id = parseMessageArgument(argument)
      const { client } = await findHost(options, context)
      const detail = await (verb === 'pause' ? client.pauseSeries(id) : client.resumeSeries(id))
      printResult(context, options, detail, () => formatSeriesDetail(detail, context.now()))
    })
}

function addLedger(tasks: Command, context: CliContext): void {
  addCommand(tasks, 'ledger', 'what became of every due instant')
    .argument(...ID)
    .option('--check', 'count the due instants anew and hold the ledger against them')
    .option('--before <n>', 'only lines before this one, for paging', wholeNumber(1, 1e12))
    .option('--limit <n>', 'at most so many', wholeNumber(1, 1_000))
    .action(async (argument: string, { check, before, limit, ...options }: LedgerOptions) => {
      const { client } = await findHost(options, context)
      const { series } = await client.showSeries(parseMessageArgument(argument))
      if (check === true) {
        const sums = await client.checkLedger(series.id)
        printResult(context, options, sums, () => formatLedgerCheck(sums))
        if (!sums.balances) context.setExitCode(UNBALANCED)
        return
      }
      const page = { ...(before === undefined ? {} : { before }), ...(limit === undefined ? {} : { limit }) }
      const lines = await client.listLedger(series.id, page)
      printResult(context, options, { lines }, () => formatLedger(lines, series.zone))
    })
}
