import { describe, expect, it } from 'vitest'
import type { ScheduleChanges, ScheduleRequest } from '../api.ts'
import { DEFAULT_PLAN, parseChanges, parseSchedule } from './parse-schedule.ts'

const nowMs = Date.parse('2030-01-01T12:00:00Z')
const rules = { groups: new Map([['g', {}]]), textBytes: 100 }
const scene = { nowMs, sessionZone: 'Europe/Berlin', newId: () => 't-new' }
const base = { group: 'g', text: 'water', cron: '0 9 * * *' }

const parse = (changes: Partial<ScheduleRequest>) => parseSchedule({ ...base, ...changes }, rules, scene)
const timed = ({ cron: _, ...rest }: ScheduleRequest, changes: ScheduleChanges) =>
  parseSchedule({ ...rest, ...changes }, rules, scene)

describe('parseSchedule', () => {
  it('completes a request', () => {
    expect(parse({})).toEqual({
      id: 't-new',
      sessionId: 'g/main',
      group: 'g',
      plan: {
        ...DEFAULT_PLAN,
        schedule: { kind: 'cron', expression: '0 9 * * *', seconds: false, gap: 'after', repeated: 'first' },
      },
      kind: 'task',
      content: '{"text":"water"}',
      address: { platformId: null, channelType: null, threadId: null },
      sourceSessionId: null,
    })
  })

  it.each<[string, ScheduleChanges, object]>([
    ['an interval from now', { every: '15m' }, { kind: 'every', everyMs: 900_000, anchorMs: nowMs }],
    [
      'an interval from an anchor',
      { every: '1h', anchor: '2029-12-31T00:30:00Z' },
      { kind: 'every', everyMs: 3_600_000, anchorMs: Date.parse('2029-12-31T00:30:00Z') },
    ],
    ['once after a span', { after: '2h' }, { kind: 'once', atMs: nowMs + 7_200_000 }],
    ['(E12) once at a local time', { at: '2030-01-02 09:00' }, { kind: 'once', atMs: Date.parse('2030-01-02T08:00Z') }],
    [
      'once at a local time of its own zone',
      { at: '2030-01-02 09:00', timeZone: 'Asia/Tokyo' },
      { kind: 'once', atMs: Date.parse('2030-01-02T00:00Z') },
    ],
    ['once in words', { at: 'tomorrow 9:00' }, { kind: 'once', atMs: Date.parse('2030-01-02T08:00Z') }],
  ])('reads %s', (_, changes, schedule) => {
    expect(timed(base, changes).plan.schedule).toEqual(schedule)
  })

  it('reads all that may be said of it', () => {
    const { plan } = parse({
      timeZone: 'America/New_York',
      onZoneChange: 'keep-instant',
      overlap: 'queue',
      missed: 'each',
      missedMax: 5,
      missedWithin: '2h',
      missedUntil: '11:00',
      stagger: '5m',
      end: '2030-06-01 00:00',
      maxRuns: 3,
      backOffAfterFailures: null,
      pauseAfterFailures: 4,
    })
    expect(plan).toMatchObject({
      timeZone: 'America/New_York',
      onZoneChange: 'keep-instant',
      overlap: 'queue',
      missed: { run: 'each', max: 5, withinMs: 7_200_000, until: '11:00' },
      staggerMs: 300_000,
      endAtMs: Date.parse('2030-06-01T04:00Z'),
      maxRuns: 3,
      backOffAfterFailures: null,
      pauseAfterFailures: 4,
    })
  })

  it.each<[string, Partial<ScheduleRequest>, string]>([
    ['two ways to say when', { every: '1h' }, 'SCHEDULE_INVALID'],
    ['(E11, I7) an empty expression', { cron: '' }, 'SCHEDULE_INVALID'],
    ['(E9) what is never due', { cron: '0 0 30 2 *' }, 'SCHEDULE_INVALID'],
    ['an end before its first time', { end: '2030-01-01 13:30' }, 'SCHEDULE_INVALID'],
    ['a zone that is none', { timeZone: 'Mars/Base' }, 'ZONE_INVALID'],
    ['an unknown group', { group: 'x' }, 'GROUP_UNKNOWN'],
    ['a session that climbs', { session: '..' }, 'SESSION_NAME_INVALID'],
    ['an empty text', { text: ' ' }, 'TEXT_EMPTY'],
    ['a text too long', { text: 'x'.repeat(101) }, 'TEXT_TOO_LARGE'],
    ['an id too long for its occurrences', { id: 'x'.repeat(101) }, 'SCHEDULE_INVALID'],
    ['an id with a blank', { id: 'a b' }, 'MESSAGE_ID_INVALID'],
    ['a stagger of days', { stagger: '2d' }, 'SCHEDULE_INVALID'],
    ['no time of day', { missedUntil: '25:00' }, 'SCHEDULE_INVALID'],
    ['more to catch up with than is told', { missedMax: 101 }, 'SCHEDULE_INVALID'],
    ['half a run', { maxRuns: 0.5 }, 'SCHEDULE_INVALID'],
  ])('refuses %s', (_, changes, code) => {
    expect(() => parse(changes)).toThrow(expect.objectContaining({ code }))
  })

  it.each<[string, ScheduleChanges, string]>([
    ['nothing that says when', {}, 'SCHEDULE_INVALID'],
    ['an interval that is none', { every: 'often' }, 'SCHEDULE_INVALID'],
    ['an interval below a second', { every: '500ms' }, 'SCHEDULE_INVALID'],
    ['a time of two meanings', { at: '3/4/2030 9:00' }, 'TIME_AMBIGUOUS'],
    ['a time gone by', { at: '2029-01-01 09:00' }, 'TIME_IN_PAST'],
    ['a time in a gap', { at: '2030-03-31 02:30' }, 'TIME_SKIPPED'],
    ['a day without a time', { at: 'tomorrow' }, 'TIME_INCOMPLETE'],
    ['a time in a zone that is none', { at: 'tomorrow 9:00', timeZone: 'Mars/Base' }, 'ZONE_INVALID'],
  ])('refuses %s', (_, changes, code) => {
    expect(() => timed(base, changes)).toThrow(expect.objectContaining({ code }))
  })
})

describe('parseChanges', () => {
  const standing = parse({ missed: 'each', missedMax: 7 }).plan
  const change = (changes: ScheduleChanges) => parseChanges(changes, standing, rules, scene)

  it('changes what is said, and nothing else', () => {
    expect(change({})).toEqual({ plan: {}, content: null })
    expect(change({ text: 'new', overlap: 'allow' })).toEqual({ plan: { overlap: 'allow' }, content: '{"text":"new"}' })
    expect(change({ missedWithin: '1h' }).plan).toEqual({ missed: { ...standing.missed, withinMs: 3_600_000 } })
    expect(change({ timeZone: null, end: null, maxRuns: null }).plan).toEqual({
      timeZone: null,
      endAtMs: null,
      maxRuns: null,
    })
    expect(change({ every: '1h' }).plan.schedule).toMatchObject({ kind: 'every' })
  })

  it('refuses what would never be due', () => {
    expect(() => change({ cron: '0 0 31 11 *' })).toThrow(expect.objectContaining({ code: 'SCHEDULE_INVALID' }))
  })
})
