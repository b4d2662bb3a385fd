import { describe, expect, it } from 'vitest'
import { isUseful } from './is-useful.ts'

const HOUR = 3_600_000
const at = (text: string) => Date.parse(text)

describe('isUseful', () => {
  it.each<[string, number | null, string | null, string, string, boolean]>([
    ['for ever', null, null, '2030-01-01T09:00Z', '2031-01-01T09:00Z', true],
    ['within its window', 2 * HOUR, null, '2030-01-01T09:00Z', '2030-01-01T11:00Z', true],
    ['beyond its window', 2 * HOUR, null, '2030-01-01T09:00Z', '2030-01-01T11:01Z', false],
    // 9:00 in Berlin is 8:00 UTC in winter.
    ['before the local time', null, '11:00', '2030-01-01T08:00Z', '2030-01-01T09:59Z', true],
    ['at the local time', null, '11:00', '2030-01-01T08:00Z', '2030-01-01T10:00Z', false],
    ['the day after', null, '11:00', '2030-01-01T08:00Z', '2030-01-02T08:30Z', false],
    ['over midnight', null, '01:00', '2030-01-01T22:00Z', '2030-01-01T23:59Z', true],
    ['after the hour past midnight', null, '01:00', '2030-01-01T22:00Z', '2030-01-02T00:00Z', false],
    ['by both, the sooner', HOUR, '11:00', '2030-01-01T08:00Z', '2030-01-01T09:30Z', false],
    ['until a time that clocks skip', null, '02:30', '2026-03-28T23:30Z', '2026-03-29T00:59Z', true],
    ['until right after the gap', null, '02:30', '2026-03-28T23:30Z', '2026-03-29T01:00Z', false],
  ])('%s', (_, withinMs, until, due, now, isOfUse) => {
    expect(isUseful(at(due), { withinMs, until }, 'Europe/Berlin', at(now))).toBe(isOfUse)
  })
})
