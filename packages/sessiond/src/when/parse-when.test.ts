import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { instantsOf, localOf } from './local-time.ts'
import { parseWhen } from './parse-when.ts'
import { MAX_AHEAD_MS, type When, type WhenCode } from './when.ts'

const BERLIN = 'Europe/Berlin'
/** Tuesday 2030-01-01, 10:30 in Berlin. */
const NOW_MS = Date.UTC(2030, 0, 1, 9, 30)

function read(text: string, timeZone = BERLIN, nowMs = NOW_MS): When {
  return parseWhen(text, { timeZone, nowMs })
}

function isoOf(when: When): string {
  return when.kind === 'found' ? new Date(when.atMs).toISOString().replace(':00.000Z', 'Z') : when.words
}

const READABLE: readonly (readonly [string, string])[] = [
  ['2030-01-31T09:00:00+01:00', '2030-01-31T08:00Z'],
  ['2030-01-31T09:00Z', '2030-01-31T09:00Z'],
  ['2030-01-31 09:00', '2030-01-31T08:00Z'],
  ['2030-07-31 9:00', '2030-07-31T07:00Z'],
  ['2030-01-31T09:00', '2030-01-31T08:00Z'],
  ['2030-01-31 9am', '2030-01-31T08:00Z'],
  ['2h', '2030-01-01T11:30Z'],
  ['10m', '2030-01-01T09:40Z'],
  ['1h30m', '2030-01-01T11:00Z'],
  ['in 2h', '2030-01-01T11:30Z'],
  ['in 2 hours', '2030-01-01T11:30Z'],
  ['In an hour', '2030-01-01T10:30Z'],
  ['1 hour and 30 minutes', '2030-01-01T11:00Z'],
  ['2 days, 3 hours', '2030-01-03T12:30Z'],
  ['in 1 week', '2030-01-08T09:30Z'],
  ['2 hours from now', '2030-01-01T11:30Z'],
  ['now', '2030-01-01T09:30Z'],
  ['17:30', '2030-01-01T16:30Z'],
  ['tomorrow noon', '2030-01-02T11:00Z'],
  ['noon', '2030-01-01T11:00Z'],
  ['day after tomorrow 9:00', '2030-01-03T08:00Z'],
  ['the 3rd of may at 9:00', '2030-05-03T07:00Z'],
  ['at 5pm', '2030-01-01T16:00Z'],
  ['today 17:30', '2030-01-01T16:30Z'],
  ['tonight at 20:00', '2030-01-01T19:00Z'],
  ['tomorrow 9:00', '2030-01-02T08:00Z'],
  ['  tomorrow   9:00 ', '2030-01-02T08:00Z'],
  ['tomorrow, 9:00', '2030-01-02T08:00Z'],
  ['at 9:00 tomorrow', '2030-01-02T08:00Z'],
  ['tomorrow at 9am', '2030-01-02T08:00Z'],
  ['tomorrow morning 9:00', '2030-01-02T08:00Z'],
  ['in 3 days at 9:00', '2030-01-04T08:00Z'],
  ['friday 17:30', '2030-01-04T16:30Z'],
  ['on Friday at 17:30', '2030-01-04T16:30Z'],
  ['this friday 5:30 pm', '2030-01-04T16:30Z'],
  ['monday 8am', '2030-01-07T07:00Z'],
  ['next monday 8am', '2030-01-07T07:00Z'],
  ['next tuesday 8am', '2030-01-08T07:00Z'],
  ['5 march 9:00', '2030-03-05T08:00Z'],
  ['March 5th, 2031 at 9:00 pm', '2031-03-05T20:00Z'],
  ['wednesday 2 january 2030 9:00', '2030-01-02T08:00Z'],
]

const REFUSED: readonly (readonly [string, WhenCode, RegExp])[] = [
  ['', 'TIME_INVALID', /empty/],
  ['   ', 'TIME_INVALID', /empty/],
  ['x'.repeat(101), 'TIME_INVALID', /101 characters/],
  ['tomorrow\u0000 9:00', 'TIME_INVALID', /cannot be seen/],
  ['tomorrow\n9:00', 'TIME_INVALID', /cannot be seen/],
  ['\u202etomorrow 9:00', 'TIME_INVALID', /\\u202e/],
  ['soon', 'TIME_INVALID', /cannot be read/],
  ['2h ago', 'TIME_INVALID', /cannot be read/],
  ['-2h', 'TIME_INVALID', /cannot be read/],
  ['tomorrow midnight', 'TIME_AMBIGUOUS', /beginning of a day, or its end/],
  ['tomorrow night 1:00', 'TIME_AMBIGUOUS', /hour of a night/],
  ['tomorrow 9:00 a', 'TIME_AMBIGUOUS', /no one day or time/],
  ['within 3 days 9:00', 'TIME_AMBIGUOUS', /no one day/],
  ['tomorrow', 'TIME_INCOMPLETE', /no time of day/],
  ['friday', 'TIME_INCOMPLETE', /no time of day/],
  ['2030-01-31', 'TIME_INCOMPLETE', /2030-01-31 09:00/],
  ['9', 'TIME_AMBIGUOUS', /Write 9:00 or 21:00/],
  ['at 9', 'TIME_AMBIGUOUS', /Write 9:00 or 21:00/],
  ['tomorrow at 12', 'TIME_AMBIGUOUS', /Write 0:00 or 12:00/],
  ['tomorrow at 17', 'TIME_AMBIGUOUS', /Write 17:00/],
  ['tomorrow 12am', 'TIME_AMBIGUOUS', /noon and as midnight/],
  ['tomorrow evening 9:00', 'TIME_INVALID', /Not all of it/],
  ['tomorrow 9:00 and 10', 'TIME_INVALID', /Not all of it/],
  ['tomorrow 9:00 please', 'TIME_INVALID', /Not all of it/],
  ['tomorrow 9:00 or 10:00', 'TIME_AMBIGUOUS', /two times/],
  ['tomorrow 9:00-10:00', 'TIME_INVALID', /Not all of it/],
  ['monday or tuesday 9:00', 'TIME_INVALID', /Not all of it/],
  ['tuesday 17:30', 'TIME_AMBIGUOUS', /Write 2030-01-01 17:30 or 2030-01-08 17:30/],
  ['next friday 9:00', 'TIME_AMBIGUOUS', /Write 2030-01-04 09:00 or 2030-01-11 09:00/],
  ['weekend 9:00', 'TIME_AMBIGUOUS', /no one day/],
  ['next week 9:00', 'TIME_AMBIGUOUS', /no one day/],
  ['in a few days at 9:00', 'TIME_AMBIGUOUS', /no one day/],
  ['in 1.5 days at 9:00', 'TIME_AMBIGUOUS', /no one day/],
  ['the 5th at 9:00', 'TIME_INVALID', /Not all of it/],
  ['friday 2 january 2030 9:00', 'TIME_AMBIGUOUS', /disagree/],
  ['3/4/2030 9:00', 'TIME_AMBIGUOUS', /Write 2030-04-03 or 2030-03-04/],
  ['3/4/2030', 'TIME_AMBIGUOUS', /Write 2030-04-03 or 2030-03-04/],
  ['31.1.2030 9:00', 'TIME_INVALID', /Write 2030-01-31\./],
  ['3/4 9:00', 'TIME_AMBIGUOUS', /which number/],
  ['tomorrow 9:00 EST', 'TIME_AMBIGUOUS', /zone beside words/],
  ['tomorrow 9:00 UTC', 'TIME_AMBIGUOUS', /zone beside words/],
  ['tomorrow 25:00', 'TIME_INVALID', /No clock/],
  ['tomorrow 9:60', 'TIME_INVALID', /No clock/],
  ['tomorrow 13:00pm', 'TIME_INVALID', /No clock/],
  ['2030-02-30 09:00', 'TIME_INVALID', /No calendar/],
  ['2030-02-30T09:00:00Z', 'TIME_INVALID', /No calendar/],
  ['29 february 2031 9:00', 'TIME_INVALID', /Not all of it/],
  ['in 2 months', 'TIME_INCOMPLETE', /no time of day/],
  ['2030-01-31T09:00+01', 'TIME_AMBIGUOUS', /with its offset/],
  ['tomorrow 9:00 in 2 hours', 'TIME_INVALID', /Not all of it/],
  ['9:00', 'TIME_IN_PAST', /1 h 30 min ago/],
  ['yesterday 9:00', 'TIME_IN_PAST', /1 d 1 h ago/],
  ['2029-12-31 09:00', 'TIME_IN_PAST', /Mon 2029-12-31 09:00:00 \+01:00/],
  ['2030-01-01T09:29:54Z', 'TIME_IN_PAST', /6 s ago/],
  ['1000-01-01T00:00:00Z', 'TIME_IN_PAST', /ago/],
  ['2041-01-01 09:00', 'TIME_TOO_FAR', /ten years/],
  ['9999999d', 'TIME_TOO_FAR', /ten years/],
  ['9999-12-31T23:59:59Z', 'TIME_TOO_FAR', /ten years/],
  // The clocks in Berlin go forward from 02:00 to 03:00, and back from 03:00 to 02:00.
  ['2030-03-31 02:30', 'TIME_SKIPPED', /Write 2030-03-31 01:30 or 2030-03-31 03:30/],
  ['31 march 2030 2:00', 'TIME_SKIPPED', /Write 2030-03-31 01:00 or 2030-03-31 03:00/],
  ['2030-10-27 02:30', 'TIME_AMBIGUOUS', /2030-10-27T02:30:00\+02:00 or 2030-10-27T02:30:00\+01:00/],
]

describe.each(['UTC', 'Pacific/Kiritimati', 'America/Los_Angeles', BERLIN])('parseWhen on a machine in %s', (host) => {
  const before = process.env.TZ

  beforeAll(() => {
    process.env.TZ = host
  })

  afterAll(() => {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })

  it.each(READABLE)('reads %j as %s', (text, iso) => {
    expect(isoOf(read(text))).toBe(iso)
  })

  it.each(REFUSED)('refuses %j with %s', (text, code, pattern) => {
    const when = read(text)
    if (when.kind === 'found') throw new Error(`taken for ${when.echo}`)
    expect(when.code).toBe(code)
    expect(`${when.words} ${when.cure}`).toMatch(pattern)
  })

  it.each([
    ['UTC', '2030-01-02T09:00Z'],
    ['Pacific/Kiritimati', '2030-01-01T19:00Z'],
    ['America/Los_Angeles', '2030-01-02T17:00Z'],
    ['Asia/Kathmandu', '2030-01-02T03:15Z'],
  ])('counts the days of %s, whatever date this machine has', (timeZone, iso) => {
    expect(isoOf(read('tomorrow 9:00', timeZone))).toBe(iso)
  })

  it('finds tomorrow while this machine changes its clocks', () => {
    for (const nowMs of [Date.UTC(2030, 2, 10, 10, 30), Date.UTC(2030, 2, 31, 1, 30), Date.UTC(2030, 9, 27, 0, 30)]) {
      const when = read('tomorrow 9:00', 'UTC', nowMs)
      expect(isoOf(when)).toBe(`${new Date(nowMs + 86_400_000).toISOString().slice(0, 10)}T09:00Z`)
    }
  })
})

describe('parseWhen', () => {
  it.each([
    ['2030-01-04 14:30', 'Fri 2030-01-04 14:30:00 +01:00 (Europe/Berlin), in 3 d 4 h'],
    ['2030-07-01T12:00:00.250Z', 'Mon 2030-07-01 14:00:00.250 +02:00 (Europe/Berlin), in 181 d 2 h'],
    ['10m', 'Tue 2030-01-01 10:40:00 +01:00 (Europe/Berlin), in 10 min'],
    ['0s', 'Tue 2030-01-01 10:30:00 +01:00 (Europe/Berlin), now'],
  ])('echoes %j exactly', (text, echo) => {
    expect(read(text)).toMatchObject({ kind: 'found', echo })
  })

  it.each([
    [-5_000, 'found'],
    [-5_001, 'problem'],
    [MAX_AHEAD_MS, 'found'],
    [MAX_AHEAD_MS + 1, 'problem'],
  ])('takes an instant %d ms from now as %s', (inMs, kind) => {
    expect(read(new Date(NOW_MS + inMs).toISOString()).kind).toBe(kind)
  })

  it('takes an instant that passed within a breath for now', () => {
    expect(read('2030-01-01T09:29:57Z')).toMatchObject({ atMs: NOW_MS })
  })

  it('takes a month and a day that have passed this year for next year’s', () => {
    expect(isoOf(read('5 march 9:00', BERLIN, Date.UTC(2030, 10, 1)))).toBe('2031-03-05T08:00Z')
    expect(read('1 january 9:00')).toMatchObject({ code: 'TIME_IN_PAST' })
  })

  it('goes by the hours that pass, not by the clock, when it is given a span', () => {
    expect(isoOf(read('24h', BERLIN, Date.UTC(2030, 2, 30, 12)))).toBe('2030-03-31T12:00Z')
  })

  it('reads back every local time it could have been given, or says which way the clocks went', () => {
    const zones = fc.constantFrom(
      BERLIN,
      'UTC',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Africa/Cairo',
    )
    const soon = fc.integer({ min: NOW_MS / 60_000 + 1, max: NOW_MS / 60_000 + 1_000_000 })
    fc.assert(
      fc.property(zones, soon, (timeZone, minutes) => {
        const local = localOf(minutes * 60_000, timeZone)
        const pad = (value: number) => String(value).padStart(2, '0')
        const text = `${local.year}-${pad(local.month)}-${pad(local.day)} ${pad(local.hour)}:${pad(local.minute)}`
        const when = read(text, timeZone)
        const isOnce = instantsOf(local, timeZone).length === 1
        if (isOnce) expect(when).toMatchObject({ atMs: minutes * 60_000 })
        else expect(when).toMatchObject({ code: 'TIME_AMBIGUOUS' })
      }),
    )
  })

  it('finds a time within bounds or says why not, whatever it is given', () => {
    const words = fc.constantFrom(
      'tomorrow',
      'next',
      'friday',
      '9:00',
      'at',
      'in',
      '2',
      'hours',
      '8am',
      ',',
      'march',
      '/',
    )
    const text = fc.oneof(
      fc.string({ maxLength: 120, unit: 'binary' }),
      fc.array(words, { maxLength: 6 }).map((each) => each.join(' ')),
    )
    fc.assert(
      fc.property(text, (given) => {
        const when = read(given)
        if (when.kind === 'found') {
          expect(when.atMs).toBeGreaterThanOrEqual(NOW_MS)
          expect(when.atMs).toBeLessThanOrEqual(NOW_MS + MAX_AHEAD_MS)
        } else {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
          expect(when.words + when.cure).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
        }
      }),
      { numRuns: 300 },
    )
  })
})
