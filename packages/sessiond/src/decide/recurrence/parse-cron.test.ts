import { describe, expect, it } from 'vitest'
import { parseCron } from './parse-cron.ts'

function problemOf(expression: string, seconds = false): string {
  const parsed = parseCron(expression, seconds)
  return 'words' in parsed ? parsed.words : ''
}

/** The first local time after the beginning of 2030. */
function firstOf(expression: string, seconds = false): string {
  const parsed = parseCron(expression, seconds)
  if ('words' in parsed) throw new Error(parsed.words)
  return new Date(parsed.next(Date.UTC(2030, 0, 1) - 1) ?? Number.NaN).toISOString().slice(0, 19)
}

describe('parseCron', () => {
  it.each([
    ['* * * * *', '2030-01-01T00:00:00'],
    ['  30\t9  * * * ', '2030-01-01T09:30:00'],
    ['0 9 * * MON-FRI', '2030-01-01T09:00:00'],
    ['0 9 * * sun', '2030-01-06T09:00:00'],
    ['0 9 * * 7', '2030-01-06T09:00:00'],
    ['*/20 22-23 * * *', '2030-01-01T22:00:00'],
    ['5,10 0 2 feb *', '2030-02-02T00:05:00'],
    ['0 9 L * *', '2030-01-31T09:00:00'],
    ['0 9 * * FRI#2', '2030-01-11T09:00:00'],
    ['0 0 29 2 *', '2032-02-29T00:00:00'],
    // Either is enough, as cron has it.
    ['0 0 13 * FRI', '2030-01-04T00:00:00'],
    ['@hourly', '2030-01-01T00:00:00'],
    ['@Daily', '2030-01-01T00:00:00'],
    ['@weekly', '2030-01-06T00:00:00'],
    ['@monthly', '2030-01-01T00:00:00'],
    ['@yearly', '2030-01-01T00:00:00'],
  ])('reads %j', (expression, first) => {
    expect(firstOf(expression)).toBe(first)
  })

  it('reads seconds first, where they are switched on', () => {
    expect(firstOf('*/15 30 9 * * *', true)).toBe('2030-01-01T09:30:00')
    expect(firstOf('@daily', true)).toBe('2030-01-01T00:00:00')
  })

  it.each([
    ['(E11, I7) an empty expression is not "every minute"', '', 'has 0'],
    ['blanks are empty too', ' \t ', 'has 0'],
    ['(E11) four fields', '0 9 * *', 'has 4'],
    ['(E11) six fields where seconds are off', '0 0 9 * * *', 'they have to be switched on'],
    ['seven fields', '0 0 9 * * * 2027', 'has 7'],
    ['an hour that is none', '0 24 * * *', 'is no cron expression'],
    ['a minute that is none', '60 * * * *', 'is no cron expression'],
    ['day 0', '0 0 0 * *', 'is no cron expression'],
    ['month 13', '0 0 1 13 *', 'is no cron expression'],
    ['a range backwards', '0 22-6 * * *', 'is no cron expression'],
    ['a step of 0', '*/0 * * * *', 'is no cron expression'],
    ['a word', '0 9 * * soon', 'is no cron expression'],
    ['@reboot', '@reboot', 'is none of @yearly'],
    ['(E9) 30 February', '0 0 30 2 *', 'is never due'],
    ['(E9) 31 of months that have 30', '0 0 31 4,6,9,11 *', 'is never due'],
    ['what is too long', `${'1,'.repeat(200)}1 * * * *`, 'at most 256 characters'],
    ['control characters', '0 9\u0000 * * *', 'is no cron expression'],
  ])('refuses %s', (_, expression, words) => {
    expect(problemOf(expression)).toContain(words)
  })

  it('refuses five fields where seconds are on', () => {
    expect(problemOf('0 9 * * *', true)).toContain('exactly 6 fields')
  })
})
