import { describe, expect, test } from 'vitest'
import { parseProcessStat } from './process-stat.ts'

describe('parseProcessStat', () => {
  const rest = '1 42 43 0 -1 4194304 95 7 3 2 11 22 33 44 20 0 1 0 123456 2703360 380 18446744073709551615'

  test.each([
    ['a plain name', `41 (sleep) S ${rest}`],
    ['a name with brackets and spaces', `41 (a) R 9 9 9 (b) S ${rest}`],
    ['a name that ends like a line', `41 (x) Z 1 1 1) S ${rest}`],
    ['a name with a line break', `41 (a\n42 (b) S ${rest}`],
    ['a line that ends with its start', `41 (sleep) S ${rest.slice(0, rest.indexOf(' 2703360'))}`],
  ])('reads %s', (_, line) => {
    expect(parseProcessStat(line)).toEqual({
      pid: 41,
      isDead: false,
      parentPid: 1,
      groupId: 42,
      sessionId: 43,
      ownTicks: 33,
      waitedTicks: 77,
      startTicks: '123456',
    })
  })

  test.each(['Z', 'X'])('counts state %s as dead', (state) => {
    expect(parseProcessStat(`41 (sleep) ${state} ${rest}`).isDead).toBe(true)
  })

  test('takes a time below nothing for none', () => {
    expect(parseProcessStat(`41 (sleep) S ${rest.replace('33 44', '-1 -2')}`).waitedTicks).toBe(0)
  })

  test.each([
    ['an empty text', ''],
    ['a short line', '41 (sleep) S 1 2'],
    ['a line without a name', `41 S ${rest}`],
    ['a word for a figure', `41 (sleep) S ${rest.replace(' 11 ', ' lots ')}`],
    ['a word for a start', `41 (sleep) S ${rest.replace('123456', 'early')}`],
    ['no pid', `(sleep) S ${rest}`],
    ['noise', '\u0000\u0001)\u0002 \uffff'.repeat(100)],
  ])('refuses %s', (_, line) => {
    expect(() => parseProcessStat(line)).toThrow('unreadable')
  })
})
