import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aroundGap, instantsOf, localOf, offsetMinutes, wallMsOf } from './local-time.ts'

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'Africa/Casablanca',
  'America/Santiago',
]

function instants(text: string, timeZone: string): string[] {
  const local = localOf(Date.parse(`${text}Z`), 'UTC')
  return instantsOf(local, timeZone).map((ms) => new Date(ms).toISOString().slice(0, 16))
}

describe('instantsOf', () => {
  it.each([
    ['an ordinary time', '2030-01-31T09:00', 'Europe/Berlin', ['2030-01-31T08:00']],
    ['the minute before a gap', '2030-03-31T01:59', 'Europe/Berlin', ['2030-03-31T00:59']],
    ['the first minute of a gap', '2030-03-31T02:00', 'Europe/Berlin', []],
    ['the last minute of a gap', '2030-03-31T02:59', 'Europe/Berlin', []],
    ['the minute after a gap', '2030-03-31T03:00', 'Europe/Berlin', ['2030-03-31T01:00']],
    ['a time that comes twice', '2030-10-27T02:30', 'Europe/Berlin', ['2030-10-27T00:30', '2030-10-27T01:30']],
    ['the minute after', '2030-10-27T03:00', 'Europe/Berlin', ['2030-10-27T02:00']],
    ['half an hour skipped', '2030-10-06T02:15', 'Australia/Lord_Howe', []],
    ['a whole day skipped', '2011-12-30T12:00', 'Pacific/Apia', []],
  ])('finds %s', (_, local, timeZone, expected) => {
    expect(instants(local, timeZone)).toEqual(expected)
  })

  it('finds every instant from what the wall shows at it', () => {
    const seconds = fc.integer({ min: Date.UTC(1975, 0, 1) / 1_000, max: Date.UTC(2100, 0, 1) / 1_000 })
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), seconds, (timeZone, second) => {
        const ms = second * 1_000
        const local = localOf(ms, timeZone)
        expect(instantsOf(local, timeZone)).toContain(ms)
        expect(wallMsOf(local) - offsetMinutes(ms, timeZone) * 60_000).toBe(ms)
      }),
    )
  })
})

describe('aroundGap', () => {
  it('names a time before and one after what is skipped', () => {
    const local = localOf(Date.UTC(2030, 2, 31, 2, 30), 'UTC')
    const around = aroundGap(local, 'Europe/Berlin').map((ms) => localOf(ms, 'Europe/Berlin'))
    expect(around).toMatchObject([
      { hour: 1, minute: 30 },
      { hour: 3, minute: 30 },
    ])
  })
})

it('refuses a zone it does not know', () => {
  expect(() => localOf(0, 'Europe/Nowhere')).toThrow(RangeError)
})
