import { describe, expect, it } from 'vitest'
import { readSpanMs } from './read-span.ts'

describe('readSpanMs', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['90 minutes', 5_400_000],
    ['in 1h30m', 5_400_000],
    ['1 h 30 min', 5_400_000],
    ['an hour and 5 secs', 3_605_000],
    ['2 weeks', 1_209_600_000],
  ])('reads %j as %d ms', (text, ms) => {
    expect(readSpanMs(text)).toBe(ms)
  })

  it.each([
    '',
    'in',
    '5',
    'in 5',
    '2 months',
    '1 year',
    '1.5 hours',
    '-2h',
    '30 minutes 1 hour',
    '1 hour 1 hour',
    '2 hours and',
    '2 hours,',
    'and 2 hours',
    'in in 2 hours',
    '2 hours ago',
    '2 hours tomorrow',
    'half an hour',
  ])('refuses %j', (text) => {
    expect(readSpanMs(text)).toBeUndefined()
  })
})
