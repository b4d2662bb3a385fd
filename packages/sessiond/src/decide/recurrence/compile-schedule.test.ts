import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Schedule } from '../../model/series.ts'
import { type CompiledSchedule, compileSchedule } from './compile-schedule.ts'
import { dueRange, TAIL } from './due-range.ts'

const HOST_ZONE = process.env.TZ
const HOUR = 3_600_000

afterEach(() => {
  if (HOST_ZONE === undefined) delete process.env.TZ
  else process.env.TZ = HOST_ZONE
})

function cron(expression: string, changes: Partial<Schedule & { kind: 'cron' }> = {}): Schedule {
  return { kind: 'cron', expression, seconds: false, gap: 'after', repeated: 'first', ...changes }
}

function compiled(schedule: Schedule, zone = 'UTC'): CompiledSchedule {
  const made = compileSchedule(schedule, zone)
  if ('problem' in made) throw new Error(made.problem.words)
  return made
}

function due(schedule: Schedule, zone: string, from: string, count: number): string[] {
  const { firings } = compiled(schedule, zone).upTo(Date.parse(from), Number.MAX_SAFE_INTEGER, count)
  return firings.map(({ atMs, dst }) => `${new Date(atMs).toISOString().slice(0, 16)}Z${dst === null ? '' : ` ${dst}`}`)
}

describe('(E13) where clocks change', () => {
  it.each<[string, Schedule, string, string, string[]]>([
    [
      'a time in the gap runs at the first instant after it, once that day',
      cron('30 2 * * *'),
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00Z gap', '2026-03-30T00:30Z'],
    ],
    ['or not at all', cron('30 2 * * *', { gap: 'skip' }), 'Europe/Berlin', '2026-03-28T12:00Z', ['2026-03-30T00:30Z']],
    [
      'several times of one gap are one firing',
      cron('*/20 2 * * *'),
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00Z gap', '2026-03-30T00:00Z'],
    ],
    [
      'a time that comes twice runs the first time',
      cron('30 2 * * *'),
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30Z repeated', '2026-10-26T01:30Z'],
    ],
    [
      'or the second',
      cron('30 2 * * *', { repeated: 'second' }),
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      ['2026-10-25T01:30Z repeated', '2026-10-26T01:30Z'],
    ],
    [
      'or both times',
      cron('30 2 * * *', { repeated: 'both' }),
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30Z repeated', '2026-10-25T01:30Z repeated', '2026-10-26T01:30Z'],
    ],
    [
      'a midnight that does not exist',
      cron('0 0 * * *'),
      'America/Sao_Paulo',
      '2018-11-03T12:00Z',
      ['2018-11-04T03:00Z gap', '2018-11-05T02:00Z'],
    ],
    [
      'half an hour is a gap too',
      cron('15 2 * * *'),
      'Australia/Lord_Howe',
      '2026-10-02T20:00Z',
      ['2026-10-03T15:30Z gap', '2026-10-04T15:15Z'],
    ],
    [
      'a day that never was runs as it begins to be another',
      cron('0 9 * * *'),
      'Pacific/Apia',
      '2011-12-29T12:00Z',
      ['2011-12-29T19:00Z', '2011-12-30T10:00Z gap', '2011-12-30T19:00Z'],
    ],
    ['an odd offset', cron('0 9 * * *'), 'Asia/Kathmandu', '2026-01-01T00:00Z', ['2026-01-01T03:15Z']],
  ])('%s', (_, schedule, zone, from, expected) => {
    expect(due(schedule, zone, from, expected.length)).toEqual(expected)
  })
})

describe('compileSchedule', () => {
  it.each<[string, Schedule, string, string]>([
    ['(E10) a zone that is none', cron('0 9 * * *'), 'Mars/Base', 'ZONE_INVALID'],
    ['an offset in place of a zone', cron('0 9 * * *'), '+01:00', 'ZONE_INVALID'],
    ['a zone of many characters', cron('0 9 * * *'), 'A'.repeat(9_999), 'ZONE_INVALID'],
    ['an expression that is none', cron('often'), 'UTC', 'CRON_INVALID'],
    ['an interval below a second', { kind: 'every', everyMs: 999, anchorMs: 0 }, 'UTC', 'INTERVAL_INVALID'],
    ['an interval that is no number', { kind: 'every', everyMs: Number.NaN, anchorMs: 0 }, 'UTC', 'INTERVAL_INVALID'],
    ['an endless interval', { kind: 'every', everyMs: 1e12, anchorMs: 0 }, 'UTC', 'INTERVAL_INVALID'],
    ['an anchor beyond time', { kind: 'every', everyMs: 1_000, anchorMs: 1e15 }, 'UTC', 'TIME_INVALID'],
    ['an instant beyond time', { kind: 'once', atMs: 253_402_300_799_999 }, 'UTC', 'TIME_INVALID'],
  ])('refuses %s, and throws at nothing', (_, schedule, zone, code) => {
    expect(compileSchedule(schedule, zone)).toMatchObject({ problem: { code } })
  })

  it('(invariant 12) says the same whatever the zone of the host', () => {
    const said = ['UTC', 'Asia/Tokyo', 'America/New_York', 'Australia/Lord_Howe'].map((zone) => {
      process.env.TZ = zone
      return due(cron('30 2 * * *'), 'Europe/Berlin', '2026-03-01T00:00Z', 300)
    })
    expect(new Set(said.map((each) => each.join())).size).toBe(1)
  })

  it('goes by a grid that neither drifts nor begins before its anchor', () => {
    const schedule: Schedule = { kind: 'every', everyMs: 7 * HOUR, anchorMs: 100 * HOUR }
    expect(compiled(schedule).next(0)?.atMs).toBe(100 * HOUR)
    expect(compiled(schedule).next(100 * HOUR)?.atMs).toBe(107 * HOUR)
    expect(compiled(schedule).next(113 * HOUR + 1)?.atMs).toBe(114 * HOUR)
  })

  it('is due after the instant it is asked for, ascending, and the same in parts as in one', () => {
    const zone = fc.constantFrom('Europe/Berlin', 'Pacific/Apia', 'Africa/Casablanca', 'America/St_Johns')
    const expression = fc.constantFrom('*/15 * * * *', '30 2 * * *', '0 */5 * * *', '59 23 L * *', '0 0 * * SUN#1')
    const repeated = fc.constantFrom('first', 'second', 'both')
    const from = fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2035, 0, 1) })
    fc.assert(
      fc.property(
        zone,
        expression,
        repeated,
        from,
        fc.integer({ min: 1, max: 9 }),
        (name, text, which, fromMs, cut) => {
          const schedule = compiled(cron(text, { repeated: which }), name)
          const whole = schedule.upTo(fromMs, fromMs + 60 * 24 * HOUR, 40).firings.map(({ atMs }) => atMs)
          for (const [index, atMs] of whole.entries()) expect(atMs).toBeGreaterThan(whole[index - 1] ?? fromMs)
          const first = whole[Math.min(cut, whole.length) - 1]
          if (first === undefined) return
          const rest = schedule.upTo(first, fromMs + 60 * 24 * HOUR, 40 - cut).firings.map(({ atMs }) => atMs)
          expect([...whole.slice(0, cut), ...rest]).toEqual(whole)
        },
      ),
    )
  })
})

describe('dueRange', () => {
  it('counts a grid without walking it, and tells the newest one by one', () => {
    const range = dueRange(compiled({ kind: 'every', everyMs: 1_000, anchorMs: 0 }), 0, 1_000_000_000_000)
    expect(range).toMatchObject({ count: 1_000_000_000, firstMs: 1_000, lastMs: 1_000_000_000_000, isWhole: true })
    expect(range?.tail).toHaveLength(TAIL)
    expect(range?.tail.at(-1)).toBe(1_000_000_000_000)
  })

  it('walks so many at once, and says that there are more', () => {
    const schedule = compiled(cron('* * * * *'))
    let [atMs, count] = [0, 0]
    for (let rounds = 0; rounds < 5; rounds += 1) {
      const range = dueRange(schedule, atMs, 5_000 * 60_000)
      count += range?.count ?? 0
      if (range === null || range.isWhole) break
      atMs = range.lastMs
    }
    expect(count).toBe(5_000)
  })

  it.each([
    ['an empty span', 5, 5],
    ['a span backwards', 9, 5],
    ['a span before the anchor', 0, 99],
  ])('finds nothing in %s', (_, fromMs, toMs) => {
    expect(dueRange(compiled({ kind: 'every', everyMs: 1_000, anchorMs: 100 }), fromMs, toMs)).toBeNull()
  })
})
