import { describe, expect, it } from 'vitest'
import { escapeLine, escapeText, toSafeJson } from '../../model/escape.ts'
import { describeSweep } from '../commands/sweep.ts'
import { describeLogLine } from './log-line.ts'
import { formatPairs, formatTable } from './table.ts'
import { formatAge, formatInstant, formatSpan } from './time.ts'

describe('escapeText', () => {
  it.each([
    ['plain ü 漢字 🎉', 'plain ü 漢字 🎉'],
    ['line\nbreak\ttab', 'line\nbreak\ttab'],
    ['\u001b[2J', '\\e[2J'],
    ['\u009b31m', '\\x9b31m'],
    ['over\rwritten', 'over\\rwritten'],
    ['\u0000\u0007\u007f', '\\x00\\x07\\x7f'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['\u2066\u2069\u200e\u2028\ufeff', '\\u2066\\u2069\\u200e\\u2028\\ufeff'],
    ['half \ud83c', 'half \\ud83c'],
  ])('makes %j harmless', (text, shown) => {
    expect(escapeText(text)).toBe(shown)
  })

  it('keeps a line one line, and cuts it', () => {
    expect(escapeLine('a\nb\tc')).toBe('a\\nb\\tc')
    expect(escapeLine('abcdef', 3)).toBe('abc…')
    expect(escapeLine('abc', 3)).toBe('abc')
  })

  it('keeps JSON the same JSON', () => {
    const value = { text: '\u001b[2J\u009b\u202e\ud83c\n"quoted" \\' }
    expect(JSON.parse(toSafeJson(value))).toEqual(value)
    expect(toSafeJson(value)).toMatch(/^[\x20-\x7e]*$/)
  })
})

describe('describeLogLine', () => {
  const at = formatInstant(0)

  it.each([
    [
      { level: 30, time: 0, msg: 'run:exited', sessionId: 'a/b', epoch: 2, messageId: null, detail: { end: 'idle' } },
      `${at}  run:exited  a/b  run 2  end="idle"\n`,
    ],
    [{ level: 40, time: 0, msg: 'host:stalled' }, `${at}  WARNING  host:stalled\n`],
    [
      { level: 50, time: 0, msg: 'sweep failed', err: { message: 'no\ndisk' } },
      `${at}  ERROR  sweep failed  no\\ndisk\n`,
    ],
  ])('shows %j to a person', (record, shown) => {
    expect(describeLogLine(`${JSON.stringify(record)}\n`)).toBe(shown)
  })

  it.each(['plain words', 'null', '{"level":"x"}', '\u001b[2J'])('shows %j as it is, made harmless', (line) => {
    expect(describeLogLine(`${line}\n`)).toBe(`${escapeLine(line)}\n`)
  })
})

describe('formatTable', () => {
  it('is no wider than it must be', () => {
    expect(
      formatTable(
        ['A', 'LONG'],
        [
          ['1', 'x'],
          ['22', ''],
        ],
      ),
    ).toBe('A   LONG\n1   x\n22\n')
    expect(formatTable(['A'], [])).toBe('')
    expect(
      formatPairs([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).toBe('a     1\nlong  2\n')
  })
})

describe('times', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [86_400_000 * 3, '3 d'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatSpan(ms)).toBe(text)
  })

  it('says where an instant lies from now', () => {
    expect([
      formatAge(7_000, 10_000),
      formatAge(310_000, 10_000),
      formatAge(9_500, 10_000),
      formatAge(null, 0),
    ]).toEqual(['3 s ago', 'in 5 min', 'now', '-'])
  })

  it('writes an instant in the local zone so that it reads back as the same instant', () => {
    const ms = Date.UTC(2030, 0, 31, 8, 5, 9)
    const text = formatInstant(ms)
    expect(text).toMatch(/^2030-01-3[01] \d\d:\d\d:09 [+-]\d\d:\d\d$/)
    expect(Date.parse(text.replace(' ', 'T').replace(' ', ''))).toBe(ms)
  })
})

describe('describeSweep', () => {
  it('tells the evidence of a decision with times in whole milliseconds', () => {
    const evidence = { seen: 'running', claimed: 1, heartbeatAgeMs: 4_243.843464999998, nextDueInMs: null }
    const line = { sessionId: 'ops/main', epoch: 2, action: 'leave', because: 'working', evidence, outcome: 'left' }
    expect(describeSweep({ lines: [line], startedAtMs: 0, tookMs: 1.5, dryRun: false })).toContain(
      'seen="running" claimed=1 heartbeatAgeMs=4244 nextDueInMs=null',
    )
  })
})
