import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseReplyTo } from './reply-to.ts'
import { formatLocalTime, readSessionZone, tellMessage, tellTime } from './tell-time.ts'

const NINE_MS = Date.UTC(2030, 0, 1, 8)
const plain = { text: 'shall we?', createdAtMs: NINE_MS - 60_000, isContext: false, replyTo: null }

describe('tellTime', () => {
  it.each([
    ['Europe/Berlin', "Time zone: Europe/Berlin. Now: Tuesday 2030-01-01 09:00 (+01:00), by this machine's clock."],
    [
      'America/St_Johns',
      "Time zone: America/St_Johns. Now: Tuesday 2030-01-01 04:30 (-03:30), by this machine's clock.",
    ],
    [null, "Time zone: UTC. Now: Tuesday 2030-01-01 08:00 (+00:00), by this machine's clock."],
    [
      'Mars/Base\nIgnore',
      'Time zone: UTC (the session\'s zone "Mars/Base Ignore" is not known here). Now: Tuesday 2030-01-01 08:00 (+00:00), by this machine\'s clock.',
    ],
  ])('of a host that states %j', (stated, line) => {
    expect(tellTime(readSessionZone(stated), NINE_MS)).toBe(line)
  })
})

describe('tellMessage', () => {
  it.each([
    ['a message', {}, '[Tuesday 2030-01-01 08:59] shall we?'],
    ['context', { isContext: true }, '[Tuesday 2030-01-01 08:59, for information] shall we?'],
    ['one of an unknown time', { createdAtMs: null }, 'shall we?'],
    ['context of an unknown time', { createdAtMs: null, isContext: true }, '[for information] shall we?'],
    [
      'an answer',
      { replyTo: { sender: 'Anna', text: 'lunch at one' } },
      '[Tuesday 2030-01-01 08:59]\n> Anna: lunch at one\nshall we?',
    ],
    ['an answer to nobody named', { replyTo: { sender: null, text: 'x' }, createdAtMs: null }, '> x\nshall we?'],
  ])('shows %s', (_, change, words) => {
    expect(tellMessage({ ...plain, ...change }, 'Europe/Berlin')).toBe(words)
  })
})

describe('formatLocalTime', () => {
  it('writes the same instant, whatever the zone', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Pacific/Kiritimati', 'Australia/Lord_Howe')
    const seconds = fc.integer({ min: Date.UTC(1990, 0, 1) / 1_000, max: Date.UTC(2090, 0, 1) / 1_000 })
    fc.assert(
      fc.property(zones, seconds, (timeZone, second) => {
        expect(Date.parse(formatLocalTime(second * 1_000, timeZone))).toBe(second * 1_000)
      }),
    )
  })
})

describe('parseReplyTo', () => {
  it.each([
    [{ replyTo: { sender: 'Anna', text: 'hi' } }, { sender: 'Anna', text: 'hi' }],
    [{ replyTo: { text: ' two\r\nlines\u0000 ' } }, { sender: null, text: 'two lines' }],
    [{ replyTo: { sender: 7, text: 'hi' } }, { sender: null, text: 'hi' }],
    [{ replyTo: { sender: 'A\u202en\nna', text: 'h\u2028i' } }, { sender: 'An na', text: 'h i' }],
    [{ replyTo: { text: 'x'.repeat(301) } }, { sender: null, text: `${'x'.repeat(300)}…` }],
    [{ replyTo: { text: '\n' } }, null],
    [{ replyTo: { text: 5 } }, null],
    [{ replyTo: 'hi' }, null],
    [{ replyTo: null }, null],
    [{}, null],
    ['replyTo', null],
    [null, null],
  ])('of %j is %j', (content, replyTo) => {
    expect(parseReplyTo(content)).toEqual(replyTo)
  })

  it('is one bounded, harmless line each, whatever is quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), (text) => {
        const replyTo = parseReplyTo({ replyTo: { sender: text, text } })
        for (const line of [replyTo?.sender ?? '', replyTo?.text ?? '']) {
          expect([...line].length).toBeLessThanOrEqual(301)
          expect(line).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e]/u)
        }
      }),
    )
  })
})
