import type { SeriesDetail } from '../api.ts'
import { escapeLine } from '../model/escape.ts'
import type { Series } from '../model/series.ts'
import { textOfContent } from '../model/text-of-content.ts'
import { tellInstant, tellSpan } from '../when/tell-firing.ts'
import { tellSchedule } from '../when/tell-schedule.ts'

/** How many firings to come an agent is told of. */
const TOLD = 3

/** A series and its next firings, for the agent that asked: times by the clock of its user. */
export function tellSeries({ series, timeZone, firings }: SeriesDetail, nowMs: number): string {
  const head = `Task ${series.id}: ${tellSchedule(series.plan.schedule)}, by the clock of ${timeZone}.`
  if (series.because !== null) return `${head} It is ${series.state}: ${escapeLine(series.because, 200)}.`
  if (series.liveMessageId !== null && firings.length === 0) return `${head} It runs now, and not again.`
  const lines = firings.slice(0, TOLD).map(({ atMs, local, note }) => {
    return `- ${local} (${tellSpan(atMs - nowMs)})${note === '' ? '' : `; ${note}`}`
  })
  return [`${head} It runs:`, ...lines].join('\n')
}

/** Series as a list, a line each. */
export function tellSeriesList(series: readonly Series[], isMore: boolean, nowMs: number): string {
  if (series.length === 0) return 'There are no tasks in this session.'
  const lines = series.map((each) => {
    const { id, state, plan, zone, nextAtMs, liveMessageId, content } = each
    const next = liveMessageId !== null ? 'runs now' : nextAtMs === null ? state : nextWords(nextAtMs, zone, nowMs)
    return `- ${id}: ${tellSchedule(plan.schedule)} (${zone}); ${next}; ${escapeLine(textOfContent(content), 100)}`
  })
  const more = isMore ? [`There are more: ask again with after ${JSON.stringify(series.at(-1)?.id)}.`] : []
  return [...lines, ...more].join('\n')
}

function nextWords(nextAtMs: number, timeZone: string, nowMs: number): string {
  return `next ${tellInstant(nextAtMs, { timeZone, nowMs })}`
}
