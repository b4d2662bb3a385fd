import type { SchedulePreview, SeriesDetail } from '../../api.ts'
import { formatDuration } from '../../config/duration.ts'
import type { LedgerCheck } from '../../decide/check-ledger.ts'
import { escapeLine } from '../../model/escape.ts'
import type { LedgerLine, Series } from '../../model/series.ts'
import { textOfContent } from '../../model/text-of-content.ts'
import { formatWallTime } from '../../when/format-instant.ts'
import { tellSpan } from '../../when/tell-firing.ts'
import { tellSchedule } from '../../when/tell-schedule.ts'
import { formatPairs, formatTable } from './table.ts'

export function formatPreview({ timeZone, firings }: SchedulePreview, nowMs: number): string {
  if (firings.length === 0) return 'It is never due.\n'
  const rows = firings.map(({ atMs, local, note }) => [local, tellSpan(atMs - nowMs), note])
  return formatTable([`NEXT (${timeZone})`, '', ''], rows)
}

/** The table of `sessiond tasks`. */
export function formatSeriesList(series: readonly Series[], nowMs: number): string {
  if (series.length === 0) return "No tasks. Make one: sessiond schedule <group> <text> --cron '0 9 * * *'\n"
  const rows = series.map((each) => [
    each.id,
    each.sessionId,
    each.state,
    tellSchedule(each.plan.schedule),
    each.zone,
    each.liveMessageId !== null ? 'running' : each.nextAtMs === null ? '-' : tellSpan(each.nextAtMs - nowMs),
    String(each.firings),
    escapeLine(textOfContent(each.content), 40),
  ])
  return formatTable(['TASK', 'SESSION', 'STATE', 'SCHEDULE', 'ZONE', 'NEXT', 'FIRED', 'TEXT'], rows)
}

export function formatSeriesDetail(detail: SeriesDetail, nowMs: number): string {
  const { series } = detail
  const { plan } = series
  const { run, max, withinMs, until } = plan.missed
  const useful = [
    ...(run === 'each' ? [`at most ${max}`] : []),
    ...(withinMs === null ? [] : [`within ${formatDuration(withinMs)}`]),
    ...(until === null ? [] : [`until ${until}`]),
  ]
  const pairs: [string, string][] = [
    ['task', series.id],
    ['session', series.sessionId],
    ['state', series.because === null ? series.state : `${series.state}: ${escapeLine(series.because)}`],
    ['schedule', `${tellSchedule(plan.schedule)} (${series.zone}, ${plan.onZoneChange})`],
    ['overlap', plan.overlap],
    ['missed', [run, ...useful].join(', ')],
    ['fired', `${series.firings}${plan.maxRuns === null ? '' : ` of ${plan.maxRuns}`}`],
    ['failures', `${series.failuresInARow} in a row`],
    ['live', series.liveMessageId ?? '-'],
    ['text', escapeLine(textOfContent(series.content), 200)],
  ]
  const next = detail.firings.length === 0 ? '' : `\n${formatPreview(detail, nowMs)}`
  return `${formatPairs(pairs)}${next}`
}

/** The ledger, oldest first. */
export function formatLedger(lines: readonly LedgerLine[], zone: string): string {
  if (lines.length === 0) return 'Nothing has been due yet.\n'
  const rows = lines
    .toReversed()
    .map((line) => [
      String(line.ordinal),
      formatWallTime(line.firstDueAtMs, zone),
      line.count === 1 ? '' : `to ${formatWallTime(line.lastDueAtMs, zone)}`,
      String(line.count),
      line.outcome,
      line.origin === 'run-now' ? `${line.because} (run now)` : line.because,
      line.messageId ?? '',
    ])
  return formatTable(['#', 'DUE', '', 'COUNT', 'OUTCOME', 'BECAUSE', 'MESSAGE'], rows)
}

export function formatLedgerCheck(check: LedgerCheck): string {
  const { due, told, live, ran, merged, skipped, expired, runNow } = check
  const verdict = check.balances
    ? 'The sums balance.'
    : `The sums do not balance: ${due} were due, ${told} are told of.`
  const pairs: [string, string][] = [
    ['due', String(due)],
    ['ran', String(ran)],
    ['merged', String(merged)],
    ['skipped', String(skipped)],
    ['expired', String(expired)],
    ['live', String(live)],
    ['run now', `${runNow} beside the schedule`],
  ]
  return `${formatPairs(pairs)}${verdict}\n`
}
