import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatTimestamp, hasZone, parseTimestamp } from '../src/index.ts'

const NOON = Date.UTC(2026, 2, 29, 12, 0, 0)

const READABLE: readonly [text: string, ms: number][] = [
  ['2026-03-29T12:00:00.000Z', NOON],
  ['2026-03-29T12:00:00Z', NOON],
  ['2026-03-29t12:00:00Z'.toUpperCase(), NOON],
  ['2026-03-29T12:00:00z', NOON],
  ['2026-03-29T12:00Z', NOON],
  ['2026-03-29 12:00:00', NOON],
  ['2026-03-29 12:00', NOON],
  ['2026-03-29T12:00:00', NOON],
  ['2026-03-29', NOON - 12 * 3_600_000],
  ['2026-03-29T14:00:00+02:00', NOON],
  ['2026-03-29T14:00:00+0200', NOON],
  ['2026-03-29 07:30:00 -04:30', NOON],
  ['2026-03-29T12:00:00.5Z', NOON + 500],
  ['2026-03-29T12:00:00,25Z', NOON + 250],
  ['2026-03-29T12:00:00.123456789Z', NOON + 123],
  ['  2026-03-29T12:00:00Z\n', NOON],
  ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  // The hour that Europe's clocks skip, and the one New York's repeat, are instants like any other.
  ['2026-03-29 02:30:00', Date.UTC(2026, 2, 29, 2, 30)],
  ['2026-11-01 01:30:00', Date.UTC(2026, 10, 1, 1, 30)],
]

const UNREADABLE: readonly unknown[] = [
  '',
  'now',
  '2026-02-29T00:00:00Z',
  '2026-04-31',
  '2026-13-01T00:00:00Z',
  '2026-00-10T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T23:60:00Z',
  '2026-01-01T23:59:60Z',
  '0026-01-01T00:00:00Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+02:60',
  '2026-1-1T00:00:00Z',
  '26-01-01T00:00:00Z',
  '2026-01-01T00:00:00+1',
  '2026-01-01T00:00:00 CET',
  '+002026-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z; DROP TABLE',
  `2026-01-01T00:00:00Z${' '.repeat(64)}`,
  '1767225600000',
  1767225600000,
  null,
  undefined,
  {},
  new Date(0),
]

/** Instants whose year has four digits: what the format can say. */
const instants = fc.integer({ min: Date.UTC(1000, 0, 1), max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) })

describe.each(['UTC', 'Asia/Tokyo', 'America/New_York'])('timestamps on a machine in %s', (zone) => {
  const before = process.env.TZ

  beforeAll(() => {
    process.env.TZ = zone
  })

  afterAll(() => {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })

  it('really runs in that zone', () => {
    expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(zone)
  })

  it.each(READABLE)('(A6) reads %j as the same instant everywhere', (text, ms) => {
    expect(parseTimestamp(text)).toBe(ms)
  })

  it.each(UNREADABLE.map((value) => [value]))('reads %j as no instant', (value) => {
    expect(parseTimestamp(value)).toBeUndefined()
  })

  it('(A6) reads back what it wrote, for every instant', () => {
    fc.assert(fc.property(instants, (ms) => parseTimestamp(formatTimestamp(ms)) === ms))
  })

  it('(A6) reads SQLite`s zone-less form as UTC, for every instant', () => {
    fc.assert(
      fc.property(instants, (ms) => {
        const sqlite = formatTimestamp(ms).slice(0, 19).replace('T', ' ')
        return parseTimestamp(sqlite) === Math.floor(ms / 1000) * 1000
      }),
    )
  })

  it('reads an instant written with any offset', () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: -14 * 60, max: 14 * 60 }), (ms, offsetMinutes) => {
        const local = new Date(ms + offsetMinutes * 60_000).toISOString()
        fc.pre(/^\d{4}-/.test(local))
        const sign = offsetMinutes < 0 ? '-' : '+'
        const hours = String(Math.trunc(Math.abs(offsetMinutes) / 60)).padStart(2, '0')
        const minutes = String(Math.abs(offsetMinutes) % 60).padStart(2, '0')
        return parseTimestamp(local.replace('Z', `${sign}${hours}:${minutes}`)) === ms
      }),
    )
  })

  it('orders the texts it writes as the instants they stand for', () => {
    fc.assert(fc.property(instants, instants, (a, b) => formatTimestamp(a) < formatTimestamp(b) === a < b))
  })

  it('never throws, and answers any text with an instant or with none', () => {
    const anything = fc.oneof(fc.string(), fc.anything(), fc.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/))
    fc.assert(
      fc.property(anything, (value) => {
        const ms = parseTimestamp(value)
        return ms === undefined || Number.isFinite(ms)
      }),
    )
  })
})

describe('formatTimestamp', () => {
  it('writes UTC with milliseconds and Z', () => {
    expect(formatTimestamp(NOON)).toBe('2026-03-29T12:00:00.000Z')
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 1])('refuses %d, which is no instant', (ms) => {
    expect(() => formatTimestamp(ms)).toThrow(RangeError)
  })
})

describe('hasZone', () => {
  it.each(['2026-03-29T12:00:00Z', '2026-03-29T12:00:00+02:00', '2026-03-29 12:00 -0430'])('sees one in %s', (text) => {
    expect(hasZone(text)).toBe(true)
  })

  it.each(['2026-03-29T12:00:00', '2026-03-29 12:00', '2026-03-29', 'soon'])('sees none in %s', (text) => {
    expect(hasZone(text)).toBe(false)
  })
})
