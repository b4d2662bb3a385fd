import { type Command, Option } from 'commander'
import type { ScheduleChanges } from '../api.ts'
import { SessiondError } from '../model/errors.ts'
import { type MissedPolicy, OVERLAPS, type Overlap, ZONE_CHANGES, type ZoneChange } from '../model/series.ts'
import { wholeNumber } from './parse-option.ts'

/** The options that say when and how a series runs. `none` takes one away again. */
export interface ScheduleOptions {
  readonly cron?: string
  readonly seconds?: boolean
  readonly every?: string
  readonly anchor?: string
  readonly at?: string
  readonly after?: string
  readonly tz?: string
  readonly onZoneChange?: ZoneChange
  readonly gap?: 'after' | 'skip'
  readonly repeated?: 'first' | 'second' | 'both'
  readonly overlap?: Overlap
  readonly missed?: MissedPolicy['run']
  readonly missedMax?: number
  readonly missedWithin?: string
  readonly missedUntil?: string
  readonly stagger?: string
  readonly end?: string
  readonly maxRuns?: number | 'none'
  readonly backOffAfter?: number | 'none'
  readonly pauseAfter?: number | 'none'
}

const wholeOrNone = (value: string) => (value === 'none' ? value : wholeNumber(1, 1_000_000)(value))

export function addScheduleOptions(command: Command): Command {
  const choice = (flags: string, about: string, words: readonly string[]) => new Option(flags, about).choices(words)
  return command
    .option('--cron <expression>', 'by the wall clock: minute hour day month weekday, or @daily and the like')
    .option('--seconds', 'the expression has a sixth field, first: seconds')
    .option('--every <span>', 'an interval such as 15m, on a grid that does not drift')
    .option('--anchor <time>', 'where the grid of --every begins (default: now)')
    .option('--at <time>', "once: an instant, a local time, or words such as 'tomorrow 9:00'")
    .option('--after <span>', 'once: so long from now, such as 2h')
    .option('--tz <zone>', "IANA zone (default: the session's; none: the session's again)")
    .addOption(choice('--on-zone-change <what>', 'when the user travels (default: keep-wall-clock)', ZONE_CHANGES))
    .addOption(choice('--gap <what>', 'a local time that clocks leave out (default: after)', ['after', 'skip']))
    .addOption(
      choice('--repeated <which>', 'a local time that comes twice (default: first)', ['first', 'second', 'both']),
    )
    .addOption(choice('--overlap <what>', 'when the one before still runs (default: skip)', OVERLAPS))
    .addOption(choice('--missed <what>', 'when nobody was there (default: newest)', ['newest', 'each', 'none']))
    .option('--missed-max <n>', 'how many, with --missed each (default: 50)', wholeNumber(1, 100))
    .option('--missed-within <span>', 'a missed one is useful for so long (none: for ever)')
    .option('--missed-until <HH:MM>', 'and only until this local time of its day (none: for ever)')
    .option('--stagger <span>', 'start up to so much later, the same each time')
    .option('--end <time>', 'nothing is due after it (none: no end)')
    .option('--max-runs <n>', 'end after so many (none: no end)', wholeOrNone)
    .option('--back-off-after <n>', 'failures in a row before it backs off (default: 8; none: never)', wholeOrNone)
    .option('--pause-after <n>', 'failures in a row before it is paused (default: 12; none: never)', wholeOrNone)
}

/** The same as a request says it. */
export function scheduleChangesOf(options: ScheduleOptions): ScheduleChanges {
  const { tz, maxRuns, backOffAfter, pauseAfter, missedWithin, missedUntil, end } = options
  const orNull = <T>(value: T | 'none'): T | null => (value === 'none' ? null : value)
  const copied = pick(options, [
    'cron',
    'seconds',
    'every',
    'anchor',
    'at',
    'after',
    'onZoneChange',
    'gap',
    'repeated',
    'overlap',
    'missed',
    'missedMax',
    'stagger',
  ])
  return {
    ...copied,
    ...(maxRuns === undefined ? {} : { maxRuns: orNull(maxRuns) }),
    ...(tz === undefined ? {} : { timeZone: orNull(tz) }),
    ...(missedWithin === undefined ? {} : { missedWithin: orNull(missedWithin) }),
    ...(missedUntil === undefined ? {} : { missedUntil: orNull(missedUntil) }),
    ...(end === undefined ? {} : { end: orNull(end) }),
    ...(backOffAfter === undefined ? {} : { backOffAfterFailures: orNull(backOffAfter) }),
    ...(pauseAfter === undefined ? {} : { pauseAfterFailures: orNull(pauseAfter) }),
  }
}

/** Throws when nothing says when. */
export function requireTiming({ cron, every, at, after }: ScheduleOptions): void {
  if ([cron, every, at, after].some((each) => each !== undefined)) return
  throw new SessiondError('SCHEDULE_INVALID', 'Say when: one of --cron, --every, --at and --after.')
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]]))) as Pick<T, K>
}
