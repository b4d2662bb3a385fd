import type { ScheduleChanges, ScheduleRequest } from '../api.ts'
import { parseDurationMs } from '../config/duration.ts'
import { SessiondError } from '../model/errors.ts'
import type { MissedPolicy, NewSeries, Schedule, SeriesPlan } from '../model/series.ts'
import { sessionIdOf } from '../model/session.ts'
import { parseWhen } from '../when/parse-when.ts'
import { checkGroup, checkId, checkSessionName, checkText, type SendRules } from './parse-send.ts'
import { compileSchedule } from './recurrence/compile-schedule.ts'
import { TAIL } from './recurrence/due-range.ts'
import { Zone } from './recurrence/zone.ts'

/** When and where a request is read: times without a zone are the user's. */
export interface ScheduleScene {
  readonly nowMs: number
  /** The session's zone: its own, else its group's. */
  readonly sessionZone: string
  readonly newId: () => string
}

const DAY_MS = 86_400_000
const MAX_STAGGER_MS = DAY_MS

/** What a series does that nobody said otherwise of. */
export const DEFAULT_PLAN: Omit<SeriesPlan, 'schedule'> = {
  timeZone: null,
  onZoneChange: 'keep-wall-clock',
  overlap: 'skip',
  missed: { run: 'newest', max: 50, withinMs: null, until: null },
  staggerMs: 0,
  endAtMs: null,
  maxRuns: null,
  backOffAfterFailures: 8,
  pauseAfterFailures: 12,
}

/** Checks a request and completes it to a series. Throws the SessiondError of the first wrong field. */
export function parseSchedule(request: ScheduleRequest, rules: SendRules, scene: ScheduleScene): NewSeries {
  const group = checkGroup(request.group, rules)
  const session = checkSessionName(request.session ?? 'main')
  const text = checkText(request.text, rules.textBytes)
  const schedule = parseTiming(request, scene)
  if (schedule === null) throw wrong('schedule', 'Say when: one of cron, every, at or after.')
  const plan = { ...DEFAULT_PLAN, schedule, ...parsePlan(request, DEFAULT_PLAN, scene) }
  checkDueEver(plan, scene)
  return {
    id: request.id === undefined ? scene.newId() : checkSeriesId(request.id),
    sessionId: sessionIdOf(group, session),
    group,
    plan,
    kind: request.kind ?? 'task',
    content: JSON.stringify({ text }),
    address: {
      platformId: request.platformId ?? null,
      channelType: request.channelType ?? null,
      threadId: request.threadId ?? null,
    },
    sourceSessionId: null,
  }
}

/** Checks what is to be changed of a series. */
export function parseChanges(
  changes: ScheduleChanges,
  standing: SeriesPlan,
  rules: Pick<SendRules, 'textBytes'>,
  scene: ScheduleScene,
): { readonly plan: Partial<SeriesPlan>; readonly content: string | null } {
  const schedule = parseTiming(changes, scene)
  const plan = { ...(schedule === null ? {} : { schedule }), ...parsePlan(changes, standing, scene) }
  checkDueEver({ ...standing, ...plan }, scene)
  const content = changes.text === undefined ? null : JSON.stringify({ text: checkText(changes.text, rules.textBytes) })
  return { plan, content }
}

/** Room for the place in the ledger that an occurrence's message id ends with. */
const MAX_SERIES_ID_CHARS = 100

function checkSeriesId(id: string): string {
  if (id.length <= MAX_SERIES_ID_CHARS) return checkId(id)
  throw wrong('id', `A task's id has at most ${MAX_SERIES_ID_CHARS} characters.`)
}

function parseTiming(request: ScheduleChanges, scene: ScheduleScene): Schedule | null {
  const { cron, every, at, after } = request
  const given = [cron, every, at, after].filter((each) => each !== undefined)
  if (given.length > 1) throw wrong('schedule', 'Give one of cron, every, at and after, not several.')
  if (cron !== undefined) return cronOf(cron, request)
  if (every !== undefined) return everyOf(every, request.anchor, scene)
  const when = at ?? after
  if (when === undefined) return null
  return { kind: 'once', atMs: whenOf(when, request, scene) }
}

function cronOf(expression: string, { seconds = false, gap = 'after', repeated = 'first' }: ScheduleChanges): Schedule {
  return { kind: 'cron', expression: expression.trim(), seconds, gap, repeated }
}

function everyOf(every: string, anchor: string | undefined, scene: ScheduleScene): Schedule {
  const everyMs = parseDurationMs(every)
  if (everyMs === undefined) throw wrong('every', `${JSON.stringify(every.slice(0, 80))} is no interval such as 15m.`)
  return { kind: 'every', everyMs, anchorMs: anchor === undefined ? scene.nowMs : parseAnchor(anchor, scene) }
}

function parseAnchor(anchor: string, scene: ScheduleScene): number {
  const atMs = Date.parse(anchor)
  if (/(Z|[+-]\d{2}:?\d{2})$/.test(anchor) && Number.isSafeInteger(atMs)) return atMs
  return whenOf(anchor, {}, scene)
}

function parsePlan(request: ScheduleChanges, standing: Omit<SeriesPlan, 'schedule'>, scene: ScheduleScene) {
  const { timeZone, onZoneChange, overlap, maxRuns, stagger, end, backOffAfterFailures, pauseAfterFailures } = request
  if (timeZone !== undefined && timeZone !== null) checkZone(timeZone)
  const plan: Partial<SeriesPlan> = {
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(onZoneChange === undefined ? {} : { onZoneChange }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(maxRuns === undefined ? {} : { maxRuns: wholeOrNull('maxRuns', maxRuns) }),
    ...(stagger === undefined ? {} : { staggerMs: spanOf('stagger', stagger, MAX_STAGGER_MS) }),
    ...(end === undefined ? {} : { endAtMs: end === null ? null : whenOf(end, request, scene) }),
    ...(backOffAfterFailures === undefined
      ? {}
      : { backOffAfterFailures: wholeOrNull('backOffAfterFailures', backOffAfterFailures) }),
    ...(pauseAfterFailures === undefined
      ? {}
      : { pauseAfterFailures: wholeOrNull('pauseAfterFailures', pauseAfterFailures) }),
  }
  const missed = parseMissed(request, standing.missed)
  return missed === null ? plan : { ...plan, missed }
}

function parseMissed(request: ScheduleChanges, standing: MissedPolicy): MissedPolicy | null {
  const { missed, missedMax, missedWithin, missedUntil } = request
  if ([missed, missedMax, missedWithin, missedUntil].every((each) => each === undefined)) return null
  const max = missedMax ?? standing.max
  if (!Number.isSafeInteger(max) || max < 1 || max >= TAIL) throw wrong('missedMax', `missedMax is 1 to ${TAIL - 1}.`)
  if (typeof missedUntil === 'string' && !/^([01]\d|2[0-3]):[0-5]\d$/.test(missedUntil)) {
    throw wrong('missedUntil', `${JSON.stringify(missedUntil.slice(0, 80))} is no time of day such as 11:00.`)
  }
  return {
    run: missed ?? standing.run,
    max,
    withinMs: missedWithin === undefined ? standing.withinMs : spanOrNull('missedWithin', missedWithin),
    until: missedUntil === undefined ? standing.until : missedUntil,
  }
}

function whenOf(text: string, { timeZone }: ScheduleChanges, { sessionZone, nowMs }: ScheduleScene): number {
  const zone = timeZone ?? sessionZone
  checkZone(zone)
  const when = parseWhen(text, { timeZone: zone, nowMs })
  if (when.kind === 'found') return when.atMs
  throw new SessiondError(when.code, when.words, { fields: { field: 'at' }, cure: when.cure })
}

function checkZone(name: string): void {
  if (Zone.find(name) !== null) return
  throw new SessiondError('ZONE_INVALID', `There is no time zone ${JSON.stringify(name.slice(0, 80))}.`, {
    fields: { field: 'timeZone' },
  })
}

/** E9: what can never be due, or cannot be reckoned, is refused when it is written. */
function checkDueEver(plan: SeriesPlan, { sessionZone, nowMs }: ScheduleScene): void {
  const compiled = compileSchedule(plan.schedule, plan.timeZone ?? sessionZone)
  if ('problem' in compiled) {
    const code = compiled.problem.code === 'ZONE_INVALID' ? 'ZONE_INVALID' : 'SCHEDULE_INVALID'
    throw new SessiondError(code, compiled.problem.words, { fields: { field: 'schedule' } })
  }
  const next = compiled.next(plan.schedule.kind === 'once' ? Math.min(nowMs, plan.schedule.atMs - 1) : nowMs)
  if (next !== null && (plan.endAtMs === null || next.atMs <= plan.endAtMs)) return
  throw wrong(
    'schedule',
    plan.endAtMs === null ? 'It would never be due.' : 'It would never be due: its end comes first.',
  )
}

function spanOf(field: string, span: string, maxMs: number): number {
  const ms = parseDurationMs(span)
  if (ms !== undefined && ms <= maxMs) return ms
  throw wrong(field, `${field} is a span such as 5m, at most ${maxMs / DAY_MS} d.`)
}

function spanOrNull(field: string, span: string | null): number | null {
  return span === null ? null : spanOf(field, span, 366 * DAY_MS)
}

function wholeOrNull(field: string, value: number | null): number | null {
  if (value === null || (Number.isSafeInteger(value) && value >= 1 && value <= 1_000_000)) return value
  throw wrong(field, `${field} is a whole number from 1 on.`)
}

function wrong(field: string, what: string): SessiondError {
  return new SessiondError('SCHEDULE_INVALID', what, { fields: { field } })
}
